/* SPDX-License-Identifier: MIT */
/* SHOWS a thread joins another one, for long, with a lock held that a third one waits for */
/* EXPECT lock-held-across-blocking-call confidence=observed level=warning stacks=refresh,slow_call,use locks=m roles=holds,blocks,waits */
/* ALLOW hold-time */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int step, tid;
static pthread_t slow;

static NOINLINE void slow_call(void)
{
	finish(slow);
}

static NOINLINE void refresh(void)
{
	pthread_mutex_lock(&m);
	step_to(&step, 1);
	until_asleep(&tid);
	slow_call();
	pthread_mutex_unlock(&m);
}

static void *holder(void *arg)
{
	refresh();
	return arg;
}

static NOINLINE void use(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
}

static void *waiter(void *arg)
{
	until(&step, 1);
	publish_tid(&tid);
	use();
	return arg;
}

static void *sleeper(void *arg)
{
	struct timespec t = { 0, 300000000 };

	until(&step, 1);
	nanosleep(&t, NULL);
	return arg;
}

int main(void)
{
	slow = start(sleeper, NULL);
	run_two(holder, waiter);
	return 0;
}
