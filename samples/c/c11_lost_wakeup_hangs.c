/* SPDX-License-Identifier: MIT */
/* SHOWS C11 threads: cnd_signal before cnd_wait with no predicate */
/* EXPECT stuck-wait confidence=observed stacks=wait_for_it roles=waits,signals locks=cond threads=1..3 */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <threads.h>

static mtx_t m;
static cnd_t cond;

static NOINLINE void wait_for_it(void)
{
	mtx_lock(&m);
	cnd_wait(&cond, &m);
	mtx_unlock(&m);
}

static int waiter(void *arg)
{
	(void)arg;
	wait_for_it();
	return 0;
}

static int signaller(void *arg)
{
	(void)arg;
	cnd_signal(&cond);
	return 0;
}

int main(void)
{
	thrd_t t;

	mtx_init(&m, mtx_plain);
	cnd_init(&cond);
	thrd_create(&t, signaller, NULL);
	thrd_join(t, NULL);
	thrd_create(&t, waiter, NULL);
	thrd_join(t, NULL);
	return 0;
}
