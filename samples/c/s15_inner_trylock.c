/* SPDX-License-Identifier: MIT */
/* SCENARIO S15: T1 takes A and tries B; T2 takes B,A */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *polite(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&a);
	MUST(pthread_mutex_trylock(&b));
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *blunt(void *arg)
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
	run_two(polite, blunt);
	return 0;
}
