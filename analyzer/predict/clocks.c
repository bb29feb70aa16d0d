/* SPDX-License-Identifier: MIT */
/*
 * clocks.c - copies are made when a thread publishes, and only then.
 */
#include "clocks.h"

#include "room.h"

void clocks_init(struct clocks *clocks, uint32_t width)
{
	*clocks = (struct clocks){ .width = width };
	clocks->now = room_new((size_t)width * width, sizeof(*clocks->now));
	clocks->newest = room_new(width, sizeof(*clocks->newest));
	for (uint32_t t = 0; t < width; t++)
		clocks_tick(clocks, t);
}

void clocks_release(struct clocks *clocks)
{
	free(clocks->now);
	free(clocks->newest);
	free(clocks->copy);
	*clocks = (struct clocks){ 0 };
}

struct clock_stamp clocks_stamp(struct clocks *clocks, uint32_t thread)
{
	uint32_t width = clocks->width;

	if (!clocks->newest[thread]) {
		clocks->copy = room_for(clocks->copy, clocks->count * width, width,
					&clocks->capacity, sizeof(*clocks->copy));
		memcpy(clocks->copy + clocks->count * width, clocks_of(clocks, thread),
		       width * sizeof(*clocks->copy));
		clocks->newest[thread] = (uint32_t)++clocks->count;
	}
	return (struct clock_stamp){ .thread = thread,
				     .own = clocks_own(clocks, thread),
				     .copy = clocks->newest[thread] - 1 };
}

struct clock_stamp *clock_stamps_new(size_t count)
{
	struct clock_stamp *stamps = room_new(count, sizeof(*stamps));

	for (size_t i = 0; i < count; i++)
		stamps[i].thread = CLOCK_STAMP_NONE;
	return stamps;
}

void clock_stamp_merge(const struct clocks *clocks, const struct clock_stamp *stamp, uint32_t *into)
{
	const uint32_t *from = clocks->copy + (size_t)stamp->copy * clocks->width;
	uint32_t own = into[stamp->thread];

	for (uint32_t t = 0; t < clocks->width; t++)
		into[t] = into[t] > from[t] ? into[t] : from[t];
	into[stamp->thread] = own > stamp->own ? own : stamp->own; /* not that of the copy */
}

bool clock_stamp_join(const struct clocks *clocks, const struct clock_stamp *stamp, uint32_t *into)
{
	if (stamp->own <= into[stamp->thread])
		return false;
	clock_stamp_merge(clocks, stamp, into);
	return true;
}
