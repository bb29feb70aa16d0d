/* SPDX-License-Identifier: MIT */
/* SCENARIO S62: one thread holds 600 locks at once; an inversion of the first and the last is still seen */
/* EXPECT lock-order-inversion confidence=potential stacks=climb,last_then_first threads=2 locks=lock */
/* NEVER lock-held-at-thread-exit unlock-not-owned */
/* RUN */
#include "../sample.h"

#define LOCKS 600

static pthread_mutex_t lock[LOCKS];
static int step, alive;

static void *climb(void *arg)
{
	meet(&alive, 2);
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_lock(&lock[i]);
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_unlock(&lock[i]);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *last_then_first(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&lock[LOCKS - 1]);
	pthread_mutex_lock(&lock[0]);
	pthread_mutex_unlock(&lock[0]);
	pthread_mutex_unlock(&lock[LOCKS - 1]);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	for (int i = 0; i < LOCKS; i++)
		MUST(pthread_mutex_init(&lock[i], NULL));
	run_two(climb, last_then_first);
	return 0;
}
