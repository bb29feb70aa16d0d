/* SPDX-License-Identifier: MIT */
/* SCENARIO S06: the gate is dropped before the inner lock is asked for, in a recorded build */
/* EXPECT lock-order-inversion confidence=proven level=error threads=2 stacks=first,second locks=a,b says=ends+in+it */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *first(void *arg)
{
	take(&gate);
	take(&a);
	give(&gate);
	take(&b);
	give(&b);
	give(&a);
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	take(&gate);
	take(&b);
	give(&gate);
	take(&a);
	give(&a);
	give(&b);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
