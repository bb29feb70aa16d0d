/* SPDX-License-Identifier: MIT */
/* SHOWS both threads count themselves in by an atomic and then wait for each other: what they read is certain, and the deadlock proven */
/* EXPECT lock-order-inversion confidence=proven level=error threads=2 stacks=first,second locks=a,b says=ends+in+it */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../proven.h"

static int started;

static void *first(void *arg)
{
	meet(&started, 2);
	nest(&a, &b);
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	meet(&started, 2);
	unseen_until(&step, 1);
	nest(&b, &a);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
