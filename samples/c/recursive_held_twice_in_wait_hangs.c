/* SPDX-License-Identifier: MIT */
/* SHOWS a recursive mutex held twice when the condvar wait releases it once: the signaller can never get it */
/* EXPECT deadlock confidence=observed stacks=wait_inside,give threads=2 locks=r roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t r = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int ready, tid;

static NOINLINE void wait_inside(void)
{
	pthread_mutex_lock(&r);
	publish_tid(&tid);
	while (!ready)
		pthread_cond_wait(&cond, &r);
	pthread_mutex_unlock(&r);
}

static void *waiter(void *arg)
{
	pthread_mutex_lock(&r);
	wait_inside();
	pthread_mutex_unlock(&r);
	return arg;
}

static void *give(void *arg)
{
	until_asleep(&tid);
	pthread_mutex_lock(&r);
	ready = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&r);
	return arg;
}

int main(void)
{
	run_two(waiter, give);
	return 0;
}
