/* SPDX-License-Identifier: MIT */
/*
 * outline.h - a trace from its outside: which threads there were, when, and how much went on in them, from the headers of the pieces
 * of their streams. No record is read: it is there at once, however long the trace is.
 *
 * Invariants
 *  - Times are run time, as in lanes.h. Pieces of a lane are in order and do not overlap.
 *  - A thread that a piece passed to in its middle may have no lane: `left_out` counts those.
 *  - Independent of the reader once it is made.
 */
#ifndef THRUM_VIEWER_OUTLINE_H
#define THRUM_VIEWER_OUTLINE_H

#include "../trace/trace_reader.h"

/* How much goes on: against the busiest piece of all, in steps of a quarter. 0 = nothing was recorded. */
#define OUTLINE_SHADES 4u

struct outline_piece {
	uint64_t start_ns, end_ns, events;
};

struct outline_lane {
	uint32_t process, thread;
	char name[48];
	uint64_t events;
	struct outline_piece *piece; /* borrowed from the outline */
	size_t piece_count;
};

struct outline_process {
	uint32_t pid;
	char *command; /* owned */
	uint64_t start_ns, end_ns;
};

struct outline {
	struct outline_process *process; /* owned */
	size_t process_count;
	struct outline_lane *lane; /* owned; by process, then by beginning */
	size_t lane_count;
	struct outline_piece *piece; /* owned */
	size_t piece_count;
	uint64_t end_ns, events;
	uint64_t left_out; /* threads */
};

int outline_new(const struct trace_reader *reader, struct outline **ret_outline, struct diag *diag);
void outline_free(struct outline *outline); /* takes NULL */

/* The shade of each of `count` buckets of the whole run. */
void outline_shade(const struct outline *outline, const struct outline_lane *lane,
		   uint8_t *ret_shade, size_t count);

#endif
