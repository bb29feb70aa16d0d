/* SPDX-License-Identifier: MIT */
/*
 * trace_merge.h - all streams of one image as one sequence: by time, corrected by trace_order.h.
 *
 * Invariants
 *  - Ties in time go to the lower stream: deterministic.
 *  - Every call makes progress: when no record may go, the oldest stale reader goes, else the
 *    oldest record, and the order's state is corrected.
 *  - Of a process that ran on while it was read, records of the last second whose causes the copy
 *    lacks are left out: what comes out is a state that the process was in.
 *  - Where records are known to be missing, none waits longer than SLACK of trace time for one that
 *    may be among them.
 *  - Cost: a comparison while the same stream continues, O(log streams) otherwise.
 */
#ifndef THRUM_TRACE_MERGE_H
#define THRUM_TRACE_MERGE_H

#include "trace_births.h"
#include "trace_order.h"

/* A binary heap of cursors by (ticks, index); a cursor knows its place. */
struct merge_heap {
	struct {
		uint64_t ticks;
		struct trace_cursor *cursor;
	} * entries; /* owned */
	size_t count;
};

struct trace_merge {
	struct trace_source source;
	struct trace_order order;
	struct trace_births births;
	const struct trace_defs *defs; /* borrowed */
	struct trace_cursor *cursors;  /* owned; one per stream */
	size_t cursor_count;
	struct trace_cursor *current;		/* not in a heap; NULL = none */
	struct merge_heap ready, stale, parked; /* parked ones are in one of the latter */
	const struct trace_clock *clock;	/* borrowed */
	uint64_t slack_ticks;
	/* Parked records from here on are left out in the end; UINT64_MAX = none. */
	uint64_t moving_ticks;
	uint64_t forced; /* records that came out against the order */
};

/* Starts at the first event. `defs` and `image` are borrowed until release. 0 or THRUM_ENOMEM. */
int trace_merge_init(struct trace_merge *merge, const struct trace_defs *defs,
		     struct trace_image *image);
void trace_merge_release(struct trace_merge *merge);

/* 1 = event, 0 = end. */
int trace_merge_next(struct trace_merge *merge, struct trace_event *ret_event);

#endif
