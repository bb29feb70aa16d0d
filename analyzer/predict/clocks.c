/* SPDX-License-Identifier: MIT */
/*
 * clocks.c - copies are made when a thread publishes, and only then.
 */
#include "clocks.h"

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

/* The same entries in rows of another width. */
static uint32_t *widen(uint32_t *from, size_t rows, uint32_t width, size_t new_rows,
		       uint32_t new_width)
{
	uint32_t *to = room_new(new_rows * new_width, sizeof(*to));

	for (size_t i = 0; i < rows; i++)
		memcpy(to + i * new_width, from + i * width, width * sizeof(*to));
	free(from);
	return to;
}

void clocks_make_room(struct clocks *clocks, uint32_t threads)
{
	uint32_t width = (threads + CLOCK_LANES - 1) / CLOCK_LANES * CLOCK_LANES;

	if (threads <= clocks->threads)
		return;
	/* Twice as wide where more came than there were: they come one by one in a sequence that is read. */
	if (width > clocks->width) {
		width = width > 2 * clocks->width ? width : 2 * clocks->width;
		clocks->now = widen(clocks->now, clocks->threads, clocks->width, width, width);
		clocks->copy =
			widen(clocks->copy, clocks->count, clocks->width, clocks->count, width);
		clocks->capacity = clocks->count * width;
		clocks->newest = reallocarray(clocks->newest, width, sizeof(*clocks->newest));
		if (!clocks->newest)
			abort();
		clocks->width = width;
	}
	for (uint32_t t = clocks->threads; t < threads; t++) {
		clocks->newest[t] = 0;
		clocks_tick(clocks, t);
	}
	clocks->threads = threads;
}

void clocks_release(struct clocks *clocks)
{
	free(clocks->now);
	free(clocks->newest);
	free(clocks->copy);
	free(clocks->share);
	*clocks = (struct clocks){ 0 };
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
	if (stamp->own)
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
}
