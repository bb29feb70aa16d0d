/* SPDX-License-Identifier: MIT */
/* SCENARIO S05: both orders of A and B under a gate, in a recorded build */
/* NEVER lock-order-inversion */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *first(void *arg)
{
	take(&gate);
	nest(&a, &b);
	give(&gate);
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	take(&gate);
	nest(&b, &a);
	give(&gate);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
