/* SPDX-License-Identifier: MIT */
/* SHOWS nested monitors: the inner one waits with the outer one's lock held, and only the outer one can wake it */
/* EXPECT deadlock confidence=observed stacks=inner_wait_free,outer_release threads=2 locks=outer_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t outer_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t inner_free = PTHREAD_COND_INITIALIZER;
static int in_use = 1, tid;

static NOINLINE void inner_wait_free(void)
{
	pthread_mutex_lock(&inner_lock);
	publish_tid(&tid);
	while (in_use)
		pthread_cond_wait(&inner_free, &inner_lock);
	in_use = 1;
	pthread_mutex_unlock(&inner_lock);
}

static NOINLINE void inner_release(void)
{
	pthread_mutex_lock(&inner_lock);
	in_use = 0;
	pthread_cond_signal(&inner_free);
	pthread_mutex_unlock(&inner_lock);
}

static NOINLINE void outer_acquire(void)
{
	pthread_mutex_lock(&outer_lock);
	inner_wait_free();
	pthread_mutex_unlock(&outer_lock);
}

static NOINLINE void outer_release(void)
{
	pthread_mutex_lock(&outer_lock);
	inner_release();
	pthread_mutex_unlock(&outer_lock);
}

static void *taker(void *arg)
{
	outer_acquire();
	return arg;
}

static void *giver(void *arg)
{
	until_asleep(&tid);
	outer_release();
	return arg;
}

int main(void)
{
	run_two(taker, giver);
	return 0;
}
