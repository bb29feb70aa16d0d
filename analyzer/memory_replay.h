/* SPDX-License-Identifier: MIT */
/*
 * memory_replay.h - the accesses of a memory trace between the events of their image, in an order that could have happened.
 *
 * What comes out is one sequence: events, accesses, and the two halves of each atomic operation, for whoever analyses it (fasttrack.h;
 * a prediction works on the same).
 *
 * Invariants
 *  - The order of each thread is kept, across both files.
 *  - The halves of atomics come out in the order of their numbers, bucket by bucket: a release before each acquire that may have seen it.
 *  - Events of one object keep the order of the event reader. Of different objects and threads they may be exchanged: an event waits
 *    while its thread's accesses wait for a number, and what hangs on it waits with it.
 *  - Where a number never comes, since a file was cut, `gap` is called: from there on all is ordered as far as is known.
 *
 * Each lane runs as far as it can as soon as it can: memory is a buffer for each lane, and the events that wait.
 */
#ifndef THRUM_ANALYZER_MEMORY_REPLAY_H
#define THRUM_ANALYZER_MEMORY_REPLAY_H

#include "../trace/trace_memory.h"
#include "../trace/trace_reader.h"

struct memory_replay;

/* `thread` is whose item it is; `set` as given with its newest event; `time_ns` is that event's. */
struct memory_moment {
	uint32_t thread, set;
	uint64_t time_ns;
};

struct memory_sink {
	void *cookie;
	/* As it was given to memory_replay_event. */
	void (*event)(void *cookie, const struct trace_event *event);
	/* ACCESS, ALLOC, FREED, BENIGN, STACK, FENCE; SYNC: its access, before its halves. */
	void (*item)(void *cookie, const struct memory_moment *at,
		     const struct trace_memory_item *item);
	void (*release)(void *cookie, const struct memory_moment *at,
			const struct trace_memory_item *item);
	void (*acquire)(void *cookie, const struct memory_moment *at,
			const struct trace_memory_item *item);
	void (*gap)(void *cookie);
	/* An access of this address will come soon: for who wants its tables in the cache. May be NULL. */
	void (*soon)(void *cookie, uint64_t address, uint16_t generation);
};

struct memory_replay_stats {
	uint64_t accesses, atomics, gaps, late_events; /* late: waited for a number */
};

/* `memory` and `sink` are borrowed. */
struct memory_replay *memory_replay_new(const struct trace_process *process,
					struct trace_memory *memory,
					const struct memory_sink *sink);
void memory_replay_free(struct memory_replay *replay); /* takes NULL */

/* The next event of the image; `set`: of the locks that its thread holds from then on. */
void memory_replay_event(struct memory_replay *replay, const struct trace_event *event,
			 uint32_t set);
/* There are no more events: what still waits comes out. */
void memory_replay_finish(struct memory_replay *replay);

struct memory_replay_stats memory_replay_stats(const struct memory_replay *replay);

#endif
