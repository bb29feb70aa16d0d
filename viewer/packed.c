/* SPDX-License-Identifier: MIT */
/*
 * packed.c - see packed.h.
 */
#include "packed.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#define OUT_BYTES 49152u /* a multiple of 3: only the last piece needs padding */

struct packed {
	FILE *out;
	z_stream stream;
	bool ok;
	unsigned char deflated[OUT_BYTES];
	char text[OUT_BYTES / 3 * 4];
};

struct packed *packed_new(FILE *out)
{
	struct packed *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->out = out;
	p->stream.next_out = p->deflated;
	p->stream.avail_out = OUT_BYTES;
	p->ok = deflateInit2(&p->stream, 6, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK;
	return p;
}

static void put_base64(struct packed *p, size_t count)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = p->deflated;
	char *at = p->text;

	for (size_t i = 0; i < count; i += 3) {
		uint32_t word = (uint32_t)in[i] << 16 | (i + 1 < count ? in[i + 1] << 8 : 0) |
				(i + 2 < count ? in[i + 2] : 0);

		*at++ = digits[word >> 18];
		*at++ = digits[word >> 12 & 63];
		*at++ = i + 1 < count ? digits[word >> 6 & 63] : '=';
		*at++ = i + 2 < count ? digits[word & 63] : '=';
	}
	p->ok = fwrite(p->text, 1, (size_t)(at - p->text), p->out) == (size_t)(at - p->text) &&
		p->ok;
}

static int turn(struct packed *p, int flush)
{
	int result = deflate(&p->stream, flush);

	if (!p->stream.avail_out || result == Z_STREAM_END) {
		put_base64(p, OUT_BYTES - p->stream.avail_out);
		p->stream.next_out = p->deflated;
		p->stream.avail_out = OUT_BYTES;
	}
	return result;
}

void packed_add(struct packed *p, const void *bytes, size_t count)
{
	if (!p || !p->ok)
		return;
	for (const unsigned char *at = bytes; count;) {
		size_t part = count < (1u << 30) ? count : 1u << 30;

		p->stream.next_in = (z_const Bytef *)at;
		p->stream.avail_in = (uInt)part;
		while (p->stream.avail_in)
			if (turn(p, Z_NO_FLUSH) == Z_STREAM_ERROR) {
				p->ok = false;
				return;
			}
		at += part;
		count -= part;
	}
}

bool packed_finish(struct packed *p)
{
	bool ok;

	if (!p)
		return false;
	for (int result = p->ok ? Z_OK : Z_STREAM_END; result != Z_STREAM_END;) {
		result = turn(p, Z_FINISH);
		if (result == Z_STREAM_ERROR) {
			p->ok = false;
			break;
		}
	}
	deflateEnd(&p->stream);
	ok = p->ok;
	free(p);
	return ok;
}
