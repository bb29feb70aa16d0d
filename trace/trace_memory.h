/* SPDX-License-Identifier: MIT */
/*
 * trace_memory.h - reads PID.N.memory: the accesses and atomics of one process image, lane by lane.
 *
 * Invariants
 *  - As for trace_reader.h: the file is hostile, may grow or be cut while it is read, and no input makes a reader crash, loop, or take
 *    more memory than a small part of the file's size.
 *  - A lane's items come out in program order. Records that were never finished are stepped over; where a chunk is missing the lane ends.
 *  - The shadow stack of a cursor is a node of a tree that all cursors of a file share: equal stacks are equal numbers.
 *
 * Not thread-safe: a file and its cursors are used by one thread.
 */
#ifndef THRUM_TRACE_MEMORY_H
#define THRUM_TRACE_MEMORY_H

#include "trace_diag.h"
#include "trace_memory_format.h"

#include <stdbool.h>
#include <stddef.h>

struct trace_memory;

/* THRUM_EFORMAT where it is no such file, THRUM_EVERSION, THRUM_EIO, THRUM_ENOMEM. Caller frees. */
int trace_memory_open(const char *path, struct trace_memory **ret_memory, struct diag *diag);
void trace_memory_free(struct trace_memory *memory); /* takes NULL */

/* As it was when the file was opened. */
const struct tm_header *trace_memory_header(const struct trace_memory *memory);
size_t trace_memory_lane_count(const struct trace_memory *memory);

/* What is known of such a file without reading its records; zeros where it cannot be read. */
struct trace_memory_look {
	bool is_there;
	uint32_t flags; /* enum tm_flag: why it ends early; 0 = it does not */
	uint32_t mode;	/* enum tm_mode */
	uint64_t bytes; /* of records */
	uint64_t
		left_out; /* accesses that sampling passed over, up to each place's newest record */
	uint64_t lost;
};
struct trace_memory_look trace_memory_look(const char *path);

/* One record, with what belongs to it. */
struct trace_memory_item {
	uint8_t kind; /* enum tm_kind: THREAD POSITION SYNC FENCE ALLOC FREED CUT STACK BENIGN ACCESS, nothing else */
	uint8_t flags;	      /* ACCESS: enum tm_access; SYNC, FENCE: enum tm_sync */
	uint8_t access_flags; /* SYNC: enum tm_access of its access, 0 = it has none */
	uint16_t generation;
	uint32_t stack;	  /* node */
	uint64_t address; /* THREAD: thread; POSITION: records of the stream */
	uint64_t bytes;	  /* of an access, a block. THREAD: stream. STACK: upper bound */
	uint64_t pc;
	uint64_t before, after; /* SYNC: numbers, 0 = none */
	uint8_t values;	   /* SYNC with an access: enum tm_values; 0 = nothing is known of … */
	uint8_t saw, left; /* … what it read, what it wrote: a byte made of the value */
};

struct trace_memory_cursor;
int trace_memory_cursor_new(struct trace_memory *memory, size_t lane,
			    struct trace_memory_cursor **ret_cursor);
void trace_memory_cursor_free(struct trace_memory_cursor *cursor); /* takes NULL */
/* Returns 1 and fills `ret_item`, 0 at the end. */
int trace_memory_next(struct trace_memory_cursor *cursor, struct trace_memory_item *ret_item);

/* The access that comes `ahead` records later, as far as it is at hand: what it will touch. False = not known. */
bool trace_memory_peek(const struct trace_memory_cursor *cursor, unsigned ahead,
		       uint64_t *ret_address, uint16_t *ret_generation);

/*
 * Return addresses of a node, innermost first, at most `room` of them; returns how many. Node 0 has none.
 */
uint32_t trace_memory_stack(const struct trace_memory *memory, uint32_t node, uint64_t *ret_ip,
			    uint32_t room);

#endif
