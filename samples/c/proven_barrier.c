/* SPDX-License-Identifier: MIT */
/* SCENARIO S09c: a barrier that both threads pass keeps their two orders apart: silent */
/* NEVER lock-order-inversion */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_barrier_t both;

static void *first(void *arg)
{
	nest(&a, &b);
	pthread_barrier_wait(&both);
	return arg;
}

static void *second(void *arg)
{
	pthread_barrier_wait(&both);
	nest(&b, &a);
	return arg;
}

int main(void)
{
	MUST(pthread_barrier_init(&both, NULL, 2));
	run_two(first, second);
	return 0;
}
