/* SPDX-License-Identifier: MIT */
/* SCENARIO S15b: the trylock is the outer hold: T1 tries A and takes B; T2 takes B,A */
/* EXPECT lock-order-inversion confidence=potential stacks=try_then_lock,lock_both threads=2 */
/* RUN */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *try_then_lock(void *arg)
{
	meet(&alive, 2);
	MUST(pthread_mutex_trylock(&a));
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *lock_both(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(try_then_lock, lock_both);
	return 0;
}
