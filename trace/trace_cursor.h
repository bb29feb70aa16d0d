/* SPDX-License-Identifier: MIT */
/*
 * trace_cursor.h - the records of one stream in order: chunk after chunk, gaps marked, owners
 * followed.
 *
 * Invariants
 *  - A cursor always holds its next record. Time never goes back within a stream.
 *  - Ids in `record` are inside the tables of the process; those that are not became 0.
 *  - At each place where records are missing a synthetic LOST comes: for the thread before the gap,
 *    right after its last record; and one more for the thread after it, where that is another.
 *  - Memory: one buffer of the stream's largest chunk, read with pread().
 */
#ifndef THRUM_TRACE_CURSOR_H
#define THRUM_TRACE_CURSOR_H

#include "trace_defs.h"

/* What all cursors of a process share. */
struct trace_source {
	struct trace_image *image; /* borrowed */
	const struct trace_layout *layout;
	uint32_t objects, stacks, threads, tasks; /* table sizes */
	/* See trace_defs.h; NULL = not bounded mode. */
	const uint64_t *born, *thread_born, *task_born, *ring;
	uint32_t facts; /* stream of the facts, UINT32_MAX = none */
	int fd;		/* .events; -1 = none */
	bool no_memory;
	bool lossy;	  /* as trace_defs.lossy, and set when a gap turns up */
	uint64_t records; /* read from the files, unknown ops included */
	uint64_t lost;	  /* of them missing, where the counts tell */
};

struct trace_lost {
	uint32_t thread;
	uint8_t op; /* LOST, or where records expired KEYFRAME: the thread may hold nothing more */
	uint64_t ticks, count;
};

struct trace_cursor {
	/* the next record */
	uint64_t ticks;
	struct trace_record record;
	uint32_t thread; /* its owner */
	bool synthetic;
	/* The last step was the end of this thread's part of the stream; 0 = was not. */
	uint32_t finished;
	uint32_t stream, index;

	/* reading */
	struct trace_decoder decoder;
	const struct trace_chunk *chunk, *chunk_end; /* not yet opened */
	uint64_t expected;			     /* number of the next chunk */
	uint64_t position; /* records of this stream so far, lost ones included */
	bool gap;	   /* something is missing behind the last record */
	bool tail_told;
	bool facts;	    /* the stream of the facts: each is of another thread */
	bool owner_changes; /* to next_owner, before the next record of the file */
	uint32_t next_owner;
	struct trace_lost lost[2]; /* to come out first */
	unsigned lost_count;
	uint8_t *buffer; /* owned */
	uint32_t buffer_bytes;

	/* of trace_order.c: where it waits */
	struct trace_cursor **root; /* NULL = does not wait */
	struct trace_cursor *child, *sibling, *before;
	uint64_t need;
	uint8_t rank;
	bool stale; /* see trace_order.h */
	bool cond_unlocked;
	struct trace_cursor *woken;

	/* of trace_merge.c */
	size_t heap_at;
};

/* Chunks [first, end) of one stream. The first step is the caller's. */
void trace_cursor_init(struct trace_cursor *c, const struct trace_chunk *first,
		       const struct trace_chunk *end, uint32_t index);
void trace_cursor_release(struct trace_cursor *c);

/* Steps to the next record; false at the end. */
bool trace_cursor_next(struct trace_cursor *c, struct trace_source *source);

#endif
