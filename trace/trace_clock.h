/* SPDX-License-Identifier: MIT */
/*
 * trace_clock.h - ticks of one image to nanoseconds since its start.
 *
 * The scale comes from pairs of (ticks, CLOCK_MONOTONIC): the header's first and newest, else the
 * first of the header and the newest of a chunk. Where no pair gives a plausible scale one tick
 * counts as 6 ns (a 2.7 GHz TSC).
 */
#ifndef THRUM_TRACE_CLOCK_H
#define THRUM_TRACE_CLOCK_H

#include "trace_dir.h"

struct trace_clock {
	uint64_t start_ticks;
	uint64_t scale; /* ns per tick, 32.32 fixed point; never 0 */
};

void trace_clock_init(struct trace_clock *clock, const struct trace_image *image);

/*
 * Times before the start are 0; absurd ones stop short of UINT64_MAX, which means "never"
 * elsewhere.
 */
static inline uint64_t trace_clock_ns(const struct trace_clock *clock, uint64_t ticks)
{
	unsigned __int128 ns;

	if (__builtin_expect(ticks < clock->start_ticks, 0)) {
		return 0;
	}
	ns = (unsigned __int128)(ticks - clock->start_ticks) * clock->scale >> 32;
	return ns < UINT64_MAX ? (uint64_t)ns : UINT64_MAX - 1;
}

/* How many ticks a time span takes; how long so many are. */
uint64_t trace_clock_ticks(const struct trace_clock *clock, uint64_t ns);
uint64_t trace_clock_span_ns(const struct trace_clock *clock, uint64_t ticks);

#endif
