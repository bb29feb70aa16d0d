/* SPDX-License-Identifier: MIT */
/* SCENARIO S08: T1 takes A, takes B, drops A, takes C; T2 takes C,A. The edges A->B and B->C both belong to T1 */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *climber(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&a);
	pthread_mutex_lock(&c);
	pthread_mutex_unlock(&c);
	pthread_mutex_unlock(&b);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *closer(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&c);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&c);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(climber, closer);
	return 0;
}
