/* SPDX-License-Identifier: MIT */
/* SHOWS the second thread waits for an atomic flag that the first one sets behind its locks: not proven */
/* EXPECT lock-order-inversion confidence=potential level=error threads=2 stacks=first,second locks=a,b says=Not+proven */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../proven.h"

static int flag;

static void *first(void *arg)
{
	nest(&a, &b);
	step_to(&flag, 1);
	return arg;
}

static void *second(void *arg)
{
	until(&flag, 1);
	nest(&b, &a);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
