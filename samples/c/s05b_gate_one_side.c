/* SPDX-License-Identifier: MIT */
/* SCENARIO S05b: the gate is taken by T1 only */
/* EXPECT lock-order-inversion confidence=potential stacks=guarded,unguarded threads=2 */
/* RUN */
#include "../sample.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *guarded(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&gate);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&gate);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *unguarded(void *arg)
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
	run_two(guarded, unguarded);
	return 0;
}
