/* SPDX-License-Identifier: MIT */
/* SHOWS a counter that two threads of a ThreadSanitizer build add to without a lock: the recorded accesses are unordered */
/* EXPECT data-race confidence=observed threads=2 stacks=add roles=accesses says=both+write */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static long counter;

static void *add(void *arg)
{
	for (int i = 0; i < 5000; i++)
		counter++;
	return arg;
}

int main(void)
{
	run_two(add, add);
	return 0;
}
