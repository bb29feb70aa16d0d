/* SPDX-License-Identifier: MIT */
/*
 * clocks.h - vector clocks of the threads of a sequence, and stamps: moments of a thread that others can learn of later.
 *
 * Invariants
 *  - A thread's own entry grows at each tick. Two stamps of one thread with the same own entry know the same: so whoever knows a
 *    stamp's own entry knows all of it, and joining it again is one comparison. Callers tick so that this holds: of each thing that
 *    they publish, before or after.
 *  - What a stamp knows of other threads is a copy that it shares with all stamps of that thread until the thread learns more. A copy
 *    that no stamp has any more is used again: memory is that of the stamps that are kept, not of those that ever were.
 *
 * Flat arrays of 32-bit entries, a multiple of CLOCK_LANES long. A join is one pass over it without branches; docs/performance.md says
 * what that costs with how many threads.
 */
#ifndef THRUM_ANALYZER_PREDICT_CLOCKS_H
#define THRUM_ANALYZER_PREDICT_CLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOCK_LANES = 8 };

/* Zeroed = knows nothing. */
struct clock_stamp {
	uint32_t thread;
	uint32_t own;  /* 0 = no stamp */
	uint32_t copy; /* number of the copy, of which it has a share */
};

struct clocks {
	uint32_t threads, width; /* entries of a clock; the last ones may be of no thread */
	uint32_t *now;		 /* owns; by thread, `width` entries each */
	uint32_t *
		newest; /* owns; by thread: number of its newest copy + 1, 0 = it learnt more since */
	uint32_t *copy; /* owns */
	uint32_t *
		share; /* owns; by copy: how many stamps and newest have it; of a free one the next free one + 1 */
	size_t count, capacity, share_capacity; /* of copies; of entries */
	uint32_t free;				/* copy + 1 */
};

/* Room for threads up to this number; zeroed clocks have none. A new thread's clock is zero but for its own entry, which is 1. */
void clocks_make_room(struct clocks *clocks, uint32_t threads);
void clocks_release(struct clocks *clocks);

static inline uint32_t *clocks_of(const struct clocks *clocks, uint32_t thread)
{
	return clocks->now + (size_t)thread * clocks->width;
}

static inline uint32_t *clocks_own(const struct clocks *clocks, uint32_t thread)
{
	return &clocks_of(clocks, thread)[thread];
}

static inline void clocks_tick(struct clocks *clocks, uint32_t thread)
{
	++*clocks_own(clocks, thread);
}

void clocks_publish_anew(struct clocks *clocks, uint32_t thread, struct clock_stamp *stamp);
void clocks_learn_more(struct clocks *clocks, uint32_t thread, const struct clock_stamp *stamp);

/* `stamp` becomes that of what `thread` knows now. */
static inline void clocks_publish(struct clocks *clocks, uint32_t thread, struct clock_stamp *stamp)
{
	/* Still the same copy: a thread that goes on alone. */
	if (stamp->thread == thread && stamp->own && stamp->copy + 1 == clocks->newest[thread])
		stamp->own = *clocks_own(clocks, thread);
	else
		clocks_publish_anew(clocks, thread, stamp);
}

/* `thread` learns what the stamp knows. */
static inline void clocks_learn(struct clocks *clocks, uint32_t thread,
				const struct clock_stamp *stamp)
{
	/* One that knows nothing has an own entry of 0, and its own thread knows as much. */
	if (stamp->own <= clocks_of(clocks, thread)[stamp->thread])
		return;
	clocks_learn_more(clocks, thread, stamp);
}

/* Of each entry the larger one. */
void clock_join(uint32_t *into, const uint32_t *from, uint32_t width);

#endif
