/* SPDX-License-Identifier: MIT */
/* SCENARIO S76: a near miss: a plain write to what the other thread counts in atomically */
/* EXPECT data-race confidence=observed threads=2 stacks=count,reset locks=counter says=both+to+write */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static long counter;

static void *count(void *arg)
{
	for (int i = 0; i < 100; i++)
		__atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
	return arg;
}

static void *reset(void *arg)
{
	counter = 0;
	return arg;
}

int main(void)
{
	run_two(count, reset);
	return 0;
}
