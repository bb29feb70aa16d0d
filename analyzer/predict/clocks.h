/* SPDX-License-Identifier: MIT */
/*
 * clocks.h - vector clocks of the threads of a sequence, and stamps: moments of a thread that can be kept by the million.
 *
 * Invariants
 *  - A thread's own entry grows at each tick. Two stamps of one thread with the same own entry know the same: so whoever knows a
 *    stamp's own entry knows all of it, and joining it again is one comparison. Callers tick so that this holds: of each thing that
 *    they publish, before or after.
 *  - What a stamp knows of other threads is a copy that it shares with all stamps of that thread until the thread learns more.
 *
 * Memory: width * 4 bytes for each time that a thread published something after it had learnt something; 12 bytes a stamp.
 */
#ifndef THRUM_ANALYZER_PREDICT_CLOCKS_H
#define THRUM_ANALYZER_PREDICT_CLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_STAMP_NONE UINT32_MAX

struct clock_stamp {
	uint32_t thread; /* CLOCK_STAMP_NONE = knows nothing */
	uint32_t own;
	uint32_t copy; /* number of the copy */
};

struct clocks {
	uint32_t width;
	uint32_t *now; /* owns; by thread, `width` entries each */
	uint32_t *
		newest; /* owns; by thread: number of its newest copy + 1, 0 = it learnt more since */
	uint32_t *copy;		/* owns */
	size_t count, capacity; /* of copies; of entries */
};

/* All clocks zero but each thread's own entry, which is 1: of nothing the entry is 0. */
void clocks_init(struct clocks *clocks, uint32_t width);
void clocks_release(struct clocks *clocks);

static inline uint32_t *clocks_of(const struct clocks *clocks, uint32_t thread)
{
	return clocks->now + (size_t)thread * clocks->width;
}

static inline uint32_t clocks_own(const struct clocks *clocks, uint32_t thread)
{
	return clocks_of(clocks, thread)[thread];
}

static inline void clocks_tick(struct clocks *clocks, uint32_t thread)
{
	clocks_of(clocks, thread)[thread]++;
}

struct clock_stamp clocks_stamp(struct clocks *clocks, uint32_t thread);
/* `count` stamps that know nothing; the caller frees them. */
struct clock_stamp *clock_stamps_new(size_t count);

/* What `thread` knew of `other` at the stamp. */
static inline uint32_t clock_stamp_get(const struct clocks *clocks, const struct clock_stamp *stamp,
				       uint32_t other)
{
	return other == stamp->thread ? stamp->own
				      : clocks->copy[(size_t)stamp->copy * clocks->width + other];
}

/* `into` has `width` entries. Returns whether anything was new. */
bool clock_stamp_join(const struct clocks *clocks, const struct clock_stamp *stamp, uint32_t *into);

/* The same for a stamp of which another one with the same own entry may know less. */
void clock_stamp_merge(const struct clocks *clocks, const struct clock_stamp *stamp,
		       uint32_t *into);

/* `thread` learns what the stamp knows. */
static inline void clocks_learn(struct clocks *clocks, uint32_t thread,
				const struct clock_stamp *stamp)
{
	if (stamp->thread == CLOCK_STAMP_NONE || stamp->thread == thread)
		return;
	if (clock_stamp_join(clocks, stamp, clocks_of(clocks, thread)))
		clocks->newest[thread] = 0;
}

#endif
