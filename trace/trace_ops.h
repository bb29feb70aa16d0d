/* SPDX-License-Identifier: MIT */
/*
 * trace_ops.h - spec/events.def as a table: what fields a record has and what the numbers in them
 * name.
 */
#ifndef THRUM_TRACE_OPS_H
#define THRUM_TRACE_OPS_H

#include "trace_format.h"

#include <stdbool.h>

/* The letters of spec/events.def: where a varint of a record goes. */
enum trace_field {
	TRACE_FIELD_O, /* object id */
	TRACE_FIELD_P, /* second object id; in REQUEST a thread id */
	TRACE_FIELD_S, /* stack id */
	TRACE_FIELD_A, /* argument */
	TRACE_FIELD_R, /* result, zig-zag */
	TRACE_FIELDS,
	TRACE_FIELD_END = 0xff
};

/*
 * tf_process.op_fields[op]: the low six bits count the varints, this bit says that the first of
 * them is O and may be left out by TF_REC_SAME_OBJECT. A reader needs the bit only for ops that it
 * does not know; see FORMAT.md.
 */
#define TRACE_OP_FIELDS_MASK 0x3fu
#define TRACE_OP_FIELDS_OBJECT 0x40u
#define TRACE_OP_FIELDS_UNKNOWN 0xffu

/* What the argument A of an op is: OWNER = a thread id or one of two words, see RELEASE_ODD. */
enum trace_arg { TRACE_ARG_PLAIN, TRACE_ARG_THREAD, TRACE_ARG_OWNER };

struct trace_op_info {
	const char *name;    /* "ACQUIRE_FAIL"; NULL = no such op */
	const char *word;    /* "acquire-fail" */
	const char *letters; /* "O S A R" */
	const char *doc;
	uint8_t count;			 /* fields */
	uint8_t field[TRACE_FIELDS + 1]; /* enum trace_field, ended by TRACE_FIELD_END */
};

extern const struct trace_op_info trace_ops[TF_OPS];

/* NULL where this library does not know the op. */
const struct trace_op_info *trace_op_get(unsigned op);

/* True where the op's first field is O. */
bool trace_op_has_object(unsigned op);

/* The op with this word in dump ("try-acquire") or this name, 0 = none. */
unsigned trace_op_find(const char *word);

extern const uint8_t trace_op_args[TF_OPS]; /* enum trace_arg */

static inline enum trace_arg trace_op_arg(unsigned op)
{
	return (enum trace_arg)trace_op_args[op % TF_OPS];
}

/* The op_fields table of the header as this version writes it. */
void trace_op_fields(uint8_t fields[TF_OPS]);

#endif
