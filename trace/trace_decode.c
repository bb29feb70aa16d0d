/* SPDX-License-Identifier: MIT */
/*
 * trace_decode.c - one record at a time; the fast path has room for the longest record and checks
 * nothing per byte.
 */
#include "trace_decode.h"

#include <string.h>

#define VARINT_BYTES 10u

void trace_layout_init(struct trace_layout *layout, const uint8_t *op_fields)
{
	memset(layout, 0, sizeof(*layout));
	for (unsigned op = 1; op < TF_OPS; op++) {
		const struct trace_op_info *info = trace_op_get(op);
		uint8_t raw = op_fields ? op_fields[op] : TRACE_OP_FIELDS_UNKNOWN;
		unsigned count = raw & TRACE_OP_FIELDS_MASK;

		layout->op[op].known = info;
		if (info) {
			if (raw == TRACE_OP_FIELDS_UNKNOWN) {
				count = info->count; /* no word from the file: ours */
			}
			layout->op[op].skippable = true;
			layout->op[op].has_object = trace_op_has_object(op);
			layout->op[op].fields =
				(uint8_t)(count < info->count ? count : info->count);
			layout->op[op].extra = (uint8_t)(count - layout->op[op].fields);
			memcpy(layout->op[op].field, info->field, TRACE_FIELDS);
		} else if (raw != TRACE_OP_FIELDS_UNKNOWN) {
			layout->op[op].skippable = true;
			layout->op[op].has_object = raw & TRACE_OP_FIELDS_OBJECT && count;
			layout->op[op].fields = layout->op[op].has_object;
			layout->op[op].extra = (uint8_t)(count - layout->op[op].fields);
			layout->op[op].field[0] = TRACE_FIELD_O;
		}
	}
}

void trace_decoder_init(struct trace_decoder *d, const struct trace_layout *layout,
			const void *bytes, size_t count, uint64_t base_ticks)
{
	*d = (struct trace_decoder){
		.at = bytes,
		.end = count ? (const uint8_t *)bytes + count
			     : bytes, /* NULL + 0 is undefined in C */
		.ticks = base_ticks,
		.layout = layout,
	};
}

/* The caller guarantees VARINT_BYTES. NULL = longer than any number. */
static inline const uint8_t *varint_fast(const uint8_t *p, uint64_t *ret)
{
	uint64_t v = *p++;

	if (__builtin_expect(v < 0x80, 1)) {
		*ret = v;
		return p;
	}
	v &= 0x7f;
	for (unsigned shift = 7; shift < 7 * VARINT_BYTES; shift += 7) {
		uint64_t b = *p++;

		v |= (b & 0x7f) << shift;
		if (b < 0x80) {
			*ret = v;
			return p;
		}
	}
	return NULL;
}

/* NULL: the bytes end, or longer than any number; *ret_bad tells which. */
static const uint8_t *varint_checked(const uint8_t *p, const uint8_t *end, uint64_t *ret,
				     bool *ret_bad)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 7 * VARINT_BYTES; shift += 7) {
		if (p == end) {
			return NULL;
		}
		v |= (uint64_t)(*p & 0x7f) << shift;
		if (*p++ < 0x80) {
			*ret = v;
			return p;
		}
	}
	*ret_bad = true;
	return NULL;
}

/*
 * The varints of one record after its first byte, in file order; both readers below share the walk.
 */
#define WALK_RECORD(READ)                                            \
	do {                                                         \
		uint64_t skipped;                                    \
		READ(delta);                                         \
		while (i < fields) {                                 \
			READ(r->field[d->layout->op[op].field[i]]);  \
			i++;                                         \
		}                                                    \
		for (unsigned n = d->layout->op[op].extra; n; n--) { \
			READ(skipped);                               \
			(void)skipped;                               \
		}                                                    \
		if (byte & TF_REC_HAS_SEQ) {                         \
			READ(r->seq);                                \
		}                                                    \
	} while (0)

enum trace_decode trace_decode_next(struct trace_decoder *d, struct trace_record *r)
{
	const uint8_t *p = d->at;
	uint64_t delta;
	unsigned byte, op, fields, i = 0;
	bool bad = false;

	if (p == d->end) {
		return TRACE_DECODE_END;
	}
	byte = *p++;
	op = byte & TF_REC_OP_MASK;
	if (__builtin_expect(!d->layout->op[op].skippable, 0)) {
		return byte ? TRACE_DECODE_BAD : TRACE_DECODE_CUT;
	}
	fields = d->layout->op[op].fields;
	*r = (struct trace_record){ .op = (uint8_t)op, .has_seq = byte & TF_REC_HAS_SEQ };
	if (byte & TF_REC_SAME_OBJECT && d->layout->op[op].has_object) {
		r->field[TRACE_FIELD_O] = d->last_object;
		i = 1;
	}
	if (__builtin_expect((size_t)(d->end - p) >=
				     VARINT_BYTES * (2u + fields + d->layout->op[op].extra),
			     1)) {
#define READ_FAST(to)                            \
	do {                                     \
		p = varint_fast(p, &(to));       \
		if (__builtin_expect(!p, 0)) {   \
			return TRACE_DECODE_BAD; \
		}                                \
	} while (0)
		WALK_RECORD(READ_FAST);
	} else {
#define READ_CHECKED(to)                                                  \
	do {                                                              \
		p = varint_checked(p, d->end, &(to), &bad);               \
		if (!p) {                                                 \
			return bad ? TRACE_DECODE_BAD : TRACE_DECODE_CUT; \
		}                                                         \
	} while (0)
		WALK_RECORD(READ_CHECKED);
	}
	if (d->layout->op[op].has_object) {
		d->last_object = r->field[TRACE_FIELD_O];
	}
	d->ticks += delta;
	r->ticks = d->ticks;
	d->at = p;
	return TRACE_DECODE_RECORD;
}
