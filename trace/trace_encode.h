/* SPDX-License-Identifier: MIT */
/*
 * trace_encode.h - the writer's half of the record format: varints and the record byte.
 * Freestanding.
 *
 * Safety class ANY: no state, no libc. The caller guarantees room; nothing here writes more than
 * 10 bytes for a varint. trace_format.h has the drawing.
 */
#ifndef THRUM_TRACE_ENCODE_H
#define THRUM_TRACE_ENCODE_H

#include "trace_format.h"

static inline uint8_t *encode_varint(uint8_t *p, uint64_t v)
{
	while (__builtin_expect(v >= 0x80, 0)) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

static inline uint64_t encode_zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

#endif
