/* SPDX-License-Identifier: MIT */
/*
 * loop_work.h - what callbacks of the loop samples do for a while: on the processor, or waiting.
 */
#ifndef THRUM_SAMPLES_LOOP_WORK_H
#define THRUM_SAMPLES_LOOP_WORK_H

#include "../sample.h"

static inline uint64_t processor_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* This much time of the thread on a processor, however busy the machine is. */
static NOINLINE __attribute__((unused)) void compute_ms(unsigned ms)
{
	uint64_t end = processor_ns() + ms * UINT64_C(1000000);

	while (processor_ns() < end)
		__asm__ volatile("" ::: "memory");
}

static inline void sleep_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

#endif
