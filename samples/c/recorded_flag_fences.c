/* SPDX-License-Identifier: MIT */
/* SHOWS the same relaxed flag with fences on both sides, which ThreadSanitizer itself reports: it knows no fences */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan flags=-Wno-tsan */
#include "../sample.h"

#include <stdatomic.h>

static int data;
static atomic_int ready;

static void *give(void *arg)
{
	data = 5;
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&ready, 1, memory_order_relaxed);
	return arg;
}

static void *take(void *arg)
{
	while (!atomic_load_explicit(&ready, memory_order_relaxed))
		sched_yield();
	atomic_thread_fence(memory_order_acquire);
	return data == 5 ? arg : NULL;
}

int main(void)
{
	run_two(give, take);
	return 0;
}
