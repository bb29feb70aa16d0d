/* SPDX-License-Identifier: MIT */
/* SHOWS a thread that waits at a barrier with the lock in hand that the other needs before it can arrive */
/* EXPECT deadlock confidence=observed stacks=arrives_locked,needs_lock threads=2 locks=l,phase roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t l = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t phase;
static int step;

static void *arrives_locked(void *arg)
{
	pthread_barrier_wait(&phase);
	pthread_mutex_lock(&l);
	step_to(&step, 1);
	pthread_barrier_wait(&phase);
	pthread_mutex_unlock(&l);
	return arg;
}

static void *needs_lock(void *arg)
{
	pthread_barrier_wait(&phase);
	until(&step, 1);
	pthread_mutex_lock(&l);
	pthread_mutex_unlock(&l);
	pthread_barrier_wait(&phase);
	return arg;
}

int main(void)
{
	MUST(pthread_barrier_init(&phase, NULL, 2));
	run_two(arrives_locked, needs_lock);
	return 0;
}
