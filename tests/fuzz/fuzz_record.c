/* SPDX-License-Identifier: MIT */
/*
 * fuzz_record.c - the record decoder on any bytes: stays inside, ends, and its two paths agree; a
 * cut gives a prefix.
 *
 * Input: byte 0 bit 0 says that 64 bytes of op_fields follow; the rest is a chunk's payload.
 */
#include "fuzz_check.h"

#include "fuzz_layout.h"

#include "trace/trace_decode.h"

#include <stdlib.h>
#include <string.h>

/* Longer than any record: behind this much padding the decoder never takes its careful path. */
#define PADDING (10u * (2u + 64u) + 1u)

static bool is_same(const struct trace_record *a, const struct trace_record *b)
{
	return a->op == b->op && a->has_seq == b->has_seq && a->ticks == b->ticks &&
	       a->seq == b->seq && !memcmp(a->field, b->field, sizeof(a->field));
}

/*
 * Every record of the first `count` bytes must also come out of `whole`, which has more bytes
 * behind.
 */
static void compare(const struct trace_layout *layout, const uint8_t *exact, size_t count,
		    const uint8_t *whole, size_t whole_count)
{
	struct trace_decoder a, b;
	struct trace_record ra, rb;
	enum trace_decode got;
	size_t records = 0;

	trace_decoder_init(&a, layout, exact, count, 1000);
	trace_decoder_init(&b, layout, whole, whole_count, 1000);
	while ((got = trace_decode_next(&a, &ra)) == TRACE_DECODE_RECORD) {
		check(trace_decode_next(&b, &rb) == TRACE_DECODE_RECORD);
		check(is_same(&ra, &rb));
		check(++records <= count);
		check(a.at <= a.end && a.at - exact == b.at - whole);
	}
	check(got == TRACE_DECODE_END ? a.at == a.end : a.at < a.end);
	check(trace_decode_next(&a, &ra) == got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_layout layout;
	uint8_t *exact, *padded;
	size_t cut;

	if (!size) {
		return 0;
	}
	if (data[0] & 1 && size > TF_OPS) {
		trace_layout_init(&layout, data + 1);
		data += TF_OPS;
		size -= TF_OPS;
	} else {
		trace_layout_init(&layout, NULL);
	}
	data++;
	size--;
	exact = malloc(size + 1);
	padded = malloc(size + PADDING);
	check(exact && padded);
	/* At the end of its allocation, so that a sanitizer sees one byte too many. */
	memcpy(exact + 1, data, size);
	memcpy(padded, data, size);
	memset(padded + size, 0, PADDING);
	compare(&layout, exact + 1, size, padded, size + PADDING);
	cut = size ? data[size / 2] * size / 256 : 0;
	compare(&layout, exact + 1, cut, padded, size);
	free(exact);
	free(padded);
	return 0;
}
