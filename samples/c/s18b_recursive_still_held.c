/* SPDX-License-Identifier: MIT */
/* SCENARIO S18b: R is recursive. T1 takes R twice, drops it once, takes A; T2 takes A,R */
/* EXPECT lock-order-inversion confidence=potential stacks=half_released,opposite threads=2 */
/* RUN */
#include "../sample.h"

static pthread_mutex_t r = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *half_released(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&r);
	pthread_mutex_lock(&r);
	pthread_mutex_unlock(&r);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&r);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *opposite(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&r);
	pthread_mutex_unlock(&r);
	pthread_mutex_unlock(&a);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(half_released, opposite);
	return 0;
}
