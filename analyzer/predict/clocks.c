/* SPDX-License-Identifier: MIT */
/*
 * clocks.c - copies are made when a thread publishes, and only then.
 */
#include "clocks.h"

#include "learn_log.h"
#include "room.h"

/* Entries stay below 2^31: signed comparison, which every processor has for vectors. */
typedef int32_t lanes
	__attribute__((vector_size(CLOCK_LANES * sizeof(int32_t)), aligned(4), may_alias));

void clock_join(uint32_t *into, const uint32_t *from, uint32_t width)
{
	for (uint32_t t = 0; t < width; t += CLOCK_LANES) {
		lanes *a = (lanes *)(into + t);
		lanes b = *(const lanes *)(from + t), larger = *a > b;

		*a = (*a & larger) | (b & ~larger);
	}
}

void clocks_init(struct clocks *clocks, uint32_t threads)
{
	uint32_t width = (threads + CLOCK_LANES - 1) / CLOCK_LANES * CLOCK_LANES;

	*clocks = (struct clocks){ .threads = threads, .width = width };
	clocks->now = room_new((size_t)threads * width, sizeof(*clocks->now));
	clocks->newest = room_new(threads, sizeof(*clocks->newest));
	for (uint32_t t = 0; t < threads; t++)
		clocks_tick(clocks, t);
}

void clocks_release(struct clocks *clocks)
{
	free(clocks->now);
	free(clocks->newest);
	free(clocks->copy);
	free(clocks->share);
	*clocks = (struct clocks){ 0 };
}

struct clock_stamp *clock_stamps_new(size_t count)
{
	struct clock_stamp *stamps = room_new(count, sizeof(*stamps));

	for (size_t i = 0; i < count; i++)
		stamps[i].thread = CLOCK_STAMP_NONE;
	return stamps;
}

static uint32_t *copy_of(const struct clocks *clocks, uint32_t copy)
{
	return clocks->copy + (size_t)copy * clocks->width;
}

static void unshare(struct clocks *clocks, uint32_t copy)
{
	if (--clocks->share[copy])
		return;
	clocks->share[copy] = clocks->free;
	clocks->free = copy + 1;
}

/* A free copy, with one share. */
static uint32_t take(struct clocks *clocks)
{
	uint32_t copy = clocks->free - 1, width = clocks->width;

	if (clocks->free) {
		clocks->free = clocks->share[copy];
	} else {
		clocks->copy = room_for(clocks->copy, clocks->count * width, width,
					&clocks->capacity, sizeof(*clocks->copy));
		clocks->share = room_for(clocks->share, clocks->count, 1, &clocks->share_capacity,
					 sizeof(*clocks->share));
		copy = (uint32_t)clocks->count++;
	}
	clocks->share[copy] = 1;
	return copy;
}

void clocks_publish_anew(struct clocks *clocks, uint32_t thread, struct clock_stamp *stamp)
{
	if (stamp->thread != CLOCK_STAMP_NONE)
		unshare(clocks, stamp->copy);
	if (!clocks->newest[thread]) {
		uint32_t copy = take(clocks);

		memcpy(copy_of(clocks, copy), clocks_of(clocks, thread),
		       clocks->width * sizeof(*clocks->copy));
		clocks->newest[thread] = copy + 1;
	}
	*stamp = (struct clock_stamp){ .thread = thread,
				       .own = *clocks_own(clocks, thread),
				       .copy = clocks->newest[thread] - 1 };
	clocks->share[stamp->copy]++;
}

void clocks_learn_more(struct clocks *clocks, uint32_t thread, const struct clock_stamp *stamp)
{
	uint32_t *now = clocks_of(clocks, thread);

	clock_join(now, copy_of(clocks, stamp->copy), clocks->width);
	/* Not that of the copy, which may be older. */
	if (now[stamp->thread] < stamp->own)
		now[stamp->thread] = stamp->own;
	if (clocks->newest[thread])
		unshare(clocks, clocks->newest[thread] - 1);
	clocks->newest[thread] = 0;
	if (clocks->log)
		learn_log_add(clocks->log, thread, stamp, now);
}
