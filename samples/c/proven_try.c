/* SPDX-License-Identifier: MIT */
/* SHOWS the second thread only tries its inner lock: nobody waits for ever */
/* NEVER lock-order-inversion */
/* RUN options=--races=record full clean */
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
	take(&b);
	if (!pthread_mutex_trylock(&a))
		give(&a);
	give(&b);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
