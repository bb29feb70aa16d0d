/* SPDX-License-Identifier: MIT */
/* SCENARIO S09c: a barrier that both threads pass keeps their two orders apart: silent */
/* NEVER lock-order-inversion */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void *first(void *arg)
{
	MUST(pthread_mutex_lock(&a));
	MUST(pthread_mutex_lock(&b));
	MUST(pthread_mutex_unlock(&b));
	MUST(pthread_mutex_unlock(&a));
	pthread_barrier_wait(&both);
	return arg;
}

static void *second(void *arg)
{
	pthread_barrier_wait(&both);
	MUST(pthread_mutex_lock(&b));
	MUST(pthread_mutex_lock(&a));
	MUST(pthread_mutex_unlock(&a));
	MUST(pthread_mutex_unlock(&b));
	return arg;
}

int main(void)
{
	MUST(pthread_barrier_init(&both, NULL, 2));
	run_two(first, second);
	return 0;
}
