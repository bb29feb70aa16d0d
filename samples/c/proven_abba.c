/* SPDX-License-Identifier: MIT */
/* SCENARIO S01: two mutexes in both orders by two threads of a recorded build, one after the other by chance: an order of the recorded events ends in the deadlock */
/* EXPECT lock-order-inversion confidence=proven level=error threads=2 stacks=first,second locks=a,b says=ends+in+it */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../proven.h"

static void *first(void *arg)
{
	nest(&a, &b);
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	nest(&b, &a);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
