/* SPDX-License-Identifier: MIT */
/*
 * trace_clock.c - calibration of ticks against CLOCK_MONOTONIC.
 */
#include "trace_clock.h"

#define DEFAULT_SCALE (6ull << 32)
/* 16 cycles of a 16 GHz counter, and of one of 1 MHz: anything outside is not a clock. */
#define MIN_SCALE (1ull << 32)
#define MAX_SCALE (16000ull << 32)
#define MIN_SPAN_TICKS 100u

/* 0 = not plausible. */
static uint64_t scale_of(uint64_t ticks0, uint64_t ns0, uint64_t ticks1, uint64_t ns1)
{
	unsigned __int128 scale;

	if (ticks1 < ticks0 || ticks1 - ticks0 < MIN_SPAN_TICKS || ns1 <= ns0) {
		return 0;
	}
	scale = ((unsigned __int128)(ns1 - ns0) << 32) / (ticks1 - ticks0);
	return scale >= MIN_SCALE && scale <= MAX_SCALE ? (uint64_t)scale : 0;
}

void trace_clock_init(struct trace_clock *clock, const struct trace_image *image)
{
	const struct tf_process *h = &image->header;
	const struct trace_chunk *newest = NULL, *oldest = NULL;

	for (size_t i = 0; i < image->chunk_count; i++) {
		const struct trace_chunk *c = &image->chunks[i];

		if (c->available && c->base_ticks && !c->ring) {
			oldest = !oldest || c->base_ticks < oldest->base_ticks ? c : oldest;
			newest = !newest || c->base_ticks > newest->base_ticks ? c : newest;
		}
	}
	clock->start_ticks = h->start_ticks;
	if (!clock->start_ticks && oldest) {
		clock->start_ticks = oldest->base_ticks; /* the header is cut */
	}
	clock->scale = scale_of(h->start_ticks, h->start_mono_ns, h->last_ticks, h->last_mono_ns);
	if (!clock->scale && newest) {
		clock->scale = scale_of(h->start_ticks, h->start_mono_ns, newest->base_ticks,
					newest->base_mono_ns);
	}
	if (!clock->scale && newest) {
		clock->scale = scale_of(oldest->base_ticks, oldest->base_mono_ns,
					newest->base_ticks, newest->base_mono_ns);
	}
	if (!clock->scale) {
		clock->scale = DEFAULT_SCALE;
	}
}

uint64_t trace_clock_span_ns(const struct trace_clock *clock, uint64_t ticks)
{
	unsigned __int128 ns = (unsigned __int128)ticks * clock->scale >> 32;

	return ns < UINT64_MAX ? (uint64_t)ns : UINT64_MAX - 1;
}

uint64_t trace_clock_ticks(const struct trace_clock *clock, uint64_t ns)
{
	unsigned __int128 ticks = ((unsigned __int128)ns << 32) / clock->scale;

	return ticks < UINT64_MAX ? (uint64_t)ticks : UINT64_MAX;
}
