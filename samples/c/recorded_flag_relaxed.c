/* SPDX-License-Identifier: MIT */
/* SHOWS a near miss: data handed over by a relaxed flag, which orders nothing */
/* EXPECT data-race confidence=observed threads=2 stacks=give,take says=read+and+write */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

#include <stdatomic.h>

static int data;
static atomic_int ready;

static void *give(void *arg)
{
	data = 5;
	atomic_store_explicit(&ready, 1, memory_order_relaxed);
	return arg;
}

static void *take(void *arg)
{
	while (!atomic_load_explicit(&ready, memory_order_relaxed))
		sched_yield();
	return data == 5 ? arg : NULL;
}

int main(void)
{
	run_two(give, take);
	return 0;
}
