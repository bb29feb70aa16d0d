/* SPDX-License-Identifier: MIT */
/*
 * lanes.h - a trace as a timeline: a lane a thread, rows of spans in each, arrows between them. One
 * pass over the events makes it; the pages, the server, the terminal and the exports draw from it.
 *
 * Invariants
 *  - Times are run time: nanoseconds since the first image of the trace began, one clock for all.
 *  - The spans of a row do not overlap and are in order: start <= end <= start of the next. What
 *    overlaps (locks held at once, callbacks in callbacks) lies in rows of other levels.
 *  - A span has at most one arrow to it, its cause: where another thread did what made this one go
 *    on. The cause is never later than the end of what it leads to (LANE_ARROW_AT_END) or than its
 *    start.
 *  - What is not known is left out: a wait whose beginning was not recorded is no span.
 *  - Memory: about ten bytes a span, and up to 64 KiB a row for the picture from far away.
 *
 * Not thread-safe. Fails with THRUM_ENOMEM or as the reader does.
 */
#ifndef THRUM_VIEWER_LANES_H
#define THRUM_VIEWER_LANES_H

#include "scan.h"

/* What a thread is in. Later ones win where many of them share a pixel. */
enum lane_state {
	LANE_NOTHING,
	LANE_IDLE,	    /* waits for descriptors; object 0 */
	LANE_WAITS_SIGNAL,  /* condition variable, semaphore, barrier, futex `object` */
	LANE_RUNS_CALLBACK, /* of task `what`, of loop `object`; stack: the function, one frame */
	LANE_RUNS_TASK,	    /* a step of coroutine or annotated task `what` */
	LANE_HOLDS_SHARED,
	LANE_HOLDS,
	LANE_HOLDS_WANTED, /* and another thread asked for it meanwhile */
	LANE_CALLS, /* blocking call `what` of spec/calls.def, about `object` (0 = not known) */
	LANE_JOINS, /* thread `what` */
	LANE_WAITS_LOCK,
	LANE_STATES
};

enum lane_row_kind {
	LANE_ROW_STATE, /* waits */
	LANE_ROW_RUN,  /* callbacks and steps of tasks; a callback inside another is one level up */
	LANE_ROW_HOLD, /* locks held; the level says nothing */
	LANE_ROW_KINDS
};

enum lane_arrow {
	LANE_ARROW_NONE,
	LANE_ARROW_WOKEN,   /* unlocked, posted, signalled there; the wait ends here */
	LANE_ARROW_POSTED,  /* armed or queued there; the callback begins here */
	LANE_ARROW_JOINED,  /* that thread ended; the join ends here */
	LANE_ARROW_CREATED, /* of a lane: struct lane_thread */
};
#define LANE_ARROW_AT_END(arrow) ((arrow) == LANE_ARROW_WOKEN || (arrow) == LANE_ARROW_JOINED)

struct lane_span {
	uint64_t start_ns, end_ns;
	uint8_t state;	 /* enum lane_state */
	uint8_t arrow;	 /* enum lane_arrow */
	bool is_open;	 /* it was not over when the records ended */
	uint32_t object; /* of the process's table; 0 = none */
	uint32_t stack;	 /* the same: where it waits, took the lock, what is called */
	uint32_t what;	 /* by state; 0 = nothing */
	/* With an arrow. */
	uint32_t from_lane;
	uint64_t from_ns;
};

/* Spans of one row, packed; lane_cursor reads them. */
struct lane_block {
	uint8_t *bytes; /* owned; see lane_rows.h */
	uint32_t size, count;
	uint64_t base_ns, end_ns; /* end of the last span before it; end of its last span */
};

struct lane_row {
	uint32_t lane;	/* index in lanes->thread */
	uint8_t kind;	/* enum lane_row_kind */
	uint8_t level;	/* among rows of its kind */
	uint32_t next;	/* index + 1 of the lane's next row in order of kind and level; 0 = last */
	uint64_t count; /* of spans */
	uint64_t end_ns;
	struct lane_block *block; /* owned; in order of time */
	uint32_t block_count, block_capacity;
	/* The worst state in each 2^lanes->shift nanoseconds; owned. NULL = few spans: read those. */
	uint8_t *far;
	struct lane_span *open; /* owned; while the rows are made */
	uint32_t open_count, open_capacity;
};

/* A thread. */
struct lane_thread {
	uint32_t process;	   /* index in lanes->process */
	uint32_t thread;	   /* id in its tables */
	uint32_t first_row;	   /* index + 1; 0 = nothing was recorded but that it lived */
	uint64_t begin_ns, end_ns; /* of its life, as far as it was seen */
	bool begun, ended;	   /* THREAD_BEGIN, THREAD_END were seen */
	uint32_t from_lane;	   /* index + 1 of the lane that created it; 0 = not known … */
	uint64_t from_ns;	   /* … and when */
	uint64_t events;
};

struct lane_process {
	const struct trace_process *process; /* borrowed from the reader */
	uint64_t start_ns, end_ns;	     /* run time of its first and last record */
	uint32_t *lane;			     /* owned: thread id -> index + 1 in lanes->thread */
};

struct lanes {
	struct lane_process *process; /* owned; as in the reader */
	size_t process_count;
	struct lane_thread
		*thread; /* owned; by process, then in the order in which they were seen */
	size_t thread_count, thread_capacity;
	struct lane_row *row; /* owned */
	size_t row_count, row_capacity;
	uint64_t end_ns; /* of the run */
	unsigned shift;	 /* of far: (end_ns >> shift) < LANE_FAR_BUCKETS */
	uint64_t spans, arrows;
};

#define LANE_FAR_BUCKETS 65536u
#define LANE_BLOCK_SPANS 4096u

/* `options` may be NULL. The reader is borrowed until lanes_free. */
int lanes_new(struct trace_reader *reader, const struct scan_options *options,
	      struct lanes **ret_lanes, struct diag *diag);
void lanes_free(struct lanes *lanes); /* takes NULL */

/* The same as part of a pass that others make use of too; `ret_lanes` is whole after it. */
int lanes_begin(struct trace_reader *reader, const struct scan_options *options,
		struct scan_part *ret_part, struct lanes **ret_lanes, struct diag *diag);

/* NULL = the thread is in no lane. */
const struct lane_thread *lanes_find(const struct lanes *lanes, size_t process, uint32_t thread);

/* "main", its name, or "thread 3". */
const char *lanes_thread_name(const struct lanes *lanes, const struct lane_thread *thread,
			      char *buffer, size_t bytes);

const char *lane_state_word(unsigned state); /* "waits for lock": never NULL */
const char *lane_arrow_word(unsigned arrow); /* "woken" */

/* ---- reading a row ---- */

struct lane_cursor {
	const struct lane_row *row;
	uint32_t block, left;
	const uint8_t *column[8], *end;
	uint64_t time_ns;
};

/* At the first span of the row that ends at or after `from_ns`. */
void lane_cursor_begin(struct lane_cursor *cursor, const struct lane_row *row, uint64_t from_ns);
bool lane_cursor_next(struct lane_cursor *cursor, struct lane_span *ret_span);

/*
 * The worst state in each of `count` buckets of (to_ns - from_ns) / count nanoseconds: one pixel
 * each. Reads `far` where that is fine enough.
 */
void lane_row_raster(const struct lanes *lanes, const struct lane_row *row, uint64_t from_ns,
		     uint64_t to_ns, uint8_t *ret_state, size_t count);

#endif
