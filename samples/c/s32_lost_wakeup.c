/* SPDX-License-Identifier: MIT */
/* SCENARIO S32: the predicate is set without the mutex and the signal comes before the wait: stuck for ever */
/* EXPECT stuck-wait confidence=observed level=error stacks=wait_done,announce threads=1..3 threadnames=waiter roles=waits,signals locks=done_cond */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done_cond = PTHREAD_COND_INITIALIZER;
static int done;
static int step;

static NOINLINE void wait_done(void)
{
	pthread_mutex_lock(&m);
	if (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) {
		step_to(&step, 1); /* the window in which the signal gets lost */
		until(&step, 2);
		pthread_cond_wait(&done_cond, &m);
	}
	pthread_mutex_unlock(&m);
}

static NOINLINE void announce(void)
{
	__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST); /* the bug: not under m */
	pthread_cond_signal(&done_cond);
}

static void *waiter(void *arg)
{
	pthread_setname_np(pthread_self(), "waiter");
	wait_done();
	return arg;
}

static void *signaller(void *arg)
{
	until(&step, 1);
	announce();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(waiter, signaller);
	return 0;
}
