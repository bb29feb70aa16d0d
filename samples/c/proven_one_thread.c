/* SPDX-License-Identifier: MIT */
/* SCENARIO S07: one thread takes two mutexes in both orders, another takes each alone, in a recorded build */
/* NEVER lock-order-inversion data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

static void *first(void *arg)
{
	nest(&a, &b);
	nest(&b, &a);
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	take(&a);
	give(&a);
	take(&b);
	give(&b);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
