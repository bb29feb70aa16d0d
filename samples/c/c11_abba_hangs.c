/* SPDX-License-Identifier: MIT */
/* SCENARIO I3: C11 threads: both hang on the other's mtx_t */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards threads=2 locks=a,b roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <threads.h>

static mtx_t a, b;
static int holding;

static int forwards(void *arg)
{
	(void)arg;
	mtx_lock(&a);
	meet(&holding, 2);
	mtx_lock(&b);
	return 0;
}

static int backwards(void *arg)
{
	(void)arg;
	mtx_lock(&b);
	meet(&holding, 2);
	mtx_lock(&a);
	return 0;
}

int main(void)
{
	thrd_t t[2];

	mtx_init(&a, mtx_plain);
	mtx_init(&b, mtx_plain);
	thrd_create(&t[0], forwards, NULL);
	thrd_create(&t[1], backwards, NULL);
	thrd_join(t[0], NULL);
	thrd_join(t[1], NULL);
	return 0;
}
