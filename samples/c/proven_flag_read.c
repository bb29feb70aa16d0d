/* SPDX-License-Identifier: MIT */
/* SHOWS the same, but the second thread takes its locks only because it read what the first wrote after its own: not proven */
/* EXPECT lock-order-inversion confidence=potential level=error threads=2 stacks=first,second locks=a,b says=Not+proven */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_mutex_t flag = PTHREAD_MUTEX_INITIALIZER;
static long ready;

static void *first(void *arg)
{
	nest(&a, &b);
	take(&flag);
	ready = 1;
	give(&flag);
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	long seen;

	take(&flag);
	seen = ready;
	give(&flag);
	if (!seen)
		return arg;
	nest(&b, &a);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
