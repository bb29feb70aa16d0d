/* SPDX-License-Identifier: MIT */
/* SCENARIO S14: A before X and X before B, X is destroyed when its users are joined, then B before A, in a recorded build */
/* NEVER lock-order-inversion data-race deadlock */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_mutex_t x;

static void *first(void *arg)
{
	nest(&a, &x);
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	nest(&x, &b);
	return arg;
}

static void *third(void *arg)
{
	nest(&b, &a);
	return arg;
}

static void *fourth(void *arg)
{
	return arg;
}

int main(void)
{
	MUST(pthread_mutex_init(&x, NULL));
	run_two(first, second);
	MUST(pthread_mutex_destroy(&x));
	run_two(third, fourth);
	return 0;
}
