/* SPDX-License-Identifier: MIT */
/* SCENARIO S76: two threads count in a relaxed atomic: in a recorded build */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

#include <stdatomic.h>

static atomic_long counter;

static void *count(void *arg)
{
	for (int i = 0; i < 2000; i++)
		atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
	return arg;
}

int main(void)
{
	run_two(count, count);
	return atomic_load(&counter) != 4000;
}
