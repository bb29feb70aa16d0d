/* SPDX-License-Identifier: MIT */
/* SCENARIO S18: R is recursive. T1 takes R,A,R; T2 takes R,A: the inner R makes no edge A->R */
/* NEVER lock-order-inversion double-lock self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t r = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *nested(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&r);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&r);
	pthread_mutex_unlock(&r);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&r);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *plain(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&r);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&r);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(nested, plain);
	return 0;
}
