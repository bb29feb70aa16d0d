/* SPDX-License-Identifier: MIT */
/* SHOWS C11 threads: a plain mtx_t locked again by its owner */
/* EXPECT self-deadlock confidence=observed stacks=inner,outer threads=1 locks=m */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <threads.h>

static mtx_t m;

static NOINLINE int inner(void)
{
	return mtx_lock(&m);
}

static int outer(void *arg)
{
	(void)arg;
	mtx_lock(&m);
	inner();
	return 0;
}

int main(void)
{
	thrd_t t;

	mtx_init(&m, mtx_plain);
	thrd_create(&t, outer, NULL);
	thrd_join(t, NULL);
	return 0;
}
