/* SPDX-License-Identifier: MIT */
/* SCENARIO S08: A is dropped before C is asked for, and one thread alone climbs so, in a recorded build */
/* NEVER lock-order-inversion data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;

static void *first(void *arg)
{
	take(&a);
	take(&b);
	give(&a);
	take(&c);
	give(&c);
	give(&b);
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	nest(&c, &a);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
