/* SPDX-License-Identifier: MIT */
/*
 * trace_decode.h - bytes of one chunk to records, bounds-checked; the drawing is in trace_format.h.
 *
 * Invariants
 *  - Never reads outside [at, end), whatever the bytes say; every step consumes at least one byte.
 *  - A record that is cut or makes no sense is not returned and nothing after it in the chunk is:
 *    without its length the next one cannot be found.
 *  - Numbers that this version does not know, and fields appended by a later one, are skipped by
 *    the field counts of the file's header. A known op with fewer fields than we know (older file)
 *    has 0 in the missing ones.
 *
 * Plain values, no allocation; decoders are independent.
 */
#ifndef THRUM_TRACE_DECODE_H
#define THRUM_TRACE_DECODE_H

#include "trace_ops.h"

#include <stddef.h>

/* How the records of one file are laid out: its op_fields against our table. */
struct trace_layout {
	struct {
		bool known;	 /* we know the op */
		bool skippable;	 /* the file says how many fields it has */
		bool has_object; /* first field is O */
		uint8_t fields;	 /* of those we know, how many are there */
		uint8_t extra;	 /* varints to skip after them */
		uint8_t field[TRACE_FIELDS];
	} op[TF_OPS];
};

/* `op_fields` of the header, or NULL: a file of this version. */
void trace_layout_init(struct trace_layout *layout, const uint8_t *op_fields);

struct trace_record {
	uint8_t op; /* may be one that this version does not know: its fields are not filled */
	bool has_seq;
	uint64_t ticks;
	uint64_t seq;
	uint64_t field[TRACE_FIELDS]; /* by enum trace_field; R still zig-zag; absent ones 0 */
};

struct trace_decoder {
	const uint8_t *at, *end; /* borrowed until the chunk is over */
	uint64_t ticks;
	uint64_t last_object;
	const struct trace_layout *layout; /* borrowed */
};

enum trace_decode {
	TRACE_DECODE_BAD = -2, /* no such record: damaged */
	TRACE_DECODE_CUT = -1, /* the bytes end inside a record, or fresh memory (0) follows */
	TRACE_DECODE_END = 0,
	TRACE_DECODE_RECORD = 1,
};

void trace_decoder_init(struct trace_decoder *d, const struct trace_layout *layout,
			const void *bytes, size_t count, uint64_t base_ticks);

/*
 * Fills `ret_record` on TRACE_DECODE_RECORD only. After any other answer it gives the same again.
 */
enum trace_decode trace_decode_next(struct trace_decoder *d, struct trace_record *ret_record);

static inline int64_t trace_decode_zigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

#endif
