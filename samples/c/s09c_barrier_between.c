/* SPDX-License-Identifier: MIT */
/* SCENARIO S09c: a barrier that both threads always pass lies between the two orders */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t phase;

static void *first_phase(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_barrier_wait(&phase);
	return arg;
}

static void *second_phase(void *arg)
{
	pthread_barrier_wait(&phase);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

int main(void)
{
	MUST(pthread_barrier_init(&phase, NULL, 2));
	run_two(first_phase, second_phase);
	MUST(pthread_barrier_destroy(&phase));
	return 0;
}
