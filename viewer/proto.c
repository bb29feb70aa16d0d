/* SPDX-License-Identifier: MIT */
/*
 * proto.c - see proto.h.
 */
#include "proto.h"

#include "../analyzer/report/escape.h"

#include <stdlib.h>
#include <string.h>

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

#define VARINT_BYTES 10

void proto_clear(struct proto *p)
{
	p->used = 0;
	p->failed = false;
}

void proto_release(struct proto *p)
{
	free(p->bytes);
	*p = (struct proto){ 0 };
}

static void append(struct proto *p, const void *bytes, size_t count)
{
	if (p->room - p->used < count && !p->failed) {
		size_t room = p->room ? p->room : 128;
		uint8_t *grown;

		while (room - p->used < count)
			room *= 2;
		grown = realloc(p->bytes, room);
		p->failed = !grown;
		if (grown) {
			p->bytes = grown;
			p->room = room;
		}
	}
	if (p->failed || !count)
		return;
	memcpy(p->bytes + p->used, bytes, count);
	p->used += count;
}

static size_t encode_varint(uint64_t value, uint8_t *ret_bytes)
{
	size_t count = 0;

	for (; value >= 0x80; value >>= 7)
		ret_bytes[count++] = (uint8_t)(value | 0x80);
	ret_bytes[count++] = (uint8_t)value;
	return count;
}

static void append_varint(struct proto *p, uint64_t value)
{
	uint8_t bytes[VARINT_BYTES];

	append(p, bytes, encode_varint(value, bytes));
}

static void append_key(struct proto *p, unsigned field, enum wire wire)
{
	append_varint(p, (uint64_t)field << 3 | wire);
}

void proto_put_number(struct proto *p, unsigned field, uint64_t value)
{
	append_key(p, field, WIRE_VARINT);
	append_varint(p, value);
}

void proto_put_fixed64(struct proto *p, unsigned field, uint64_t value)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	append_key(p, field, WIRE_FIXED64);
	append(p, bytes, sizeof(bytes));
}

void proto_put_bytes(struct proto *p, unsigned field, const void *bytes, size_t count)
{
	append_key(p, field, WIRE_BYTES);
	append_varint(p, count);
	append(p, bytes, count);
}

void proto_put_text(struct proto *p, unsigned field, const char *text)
{
	char *clean = escape_utf8(text);

	if (clean)
		proto_put_bytes(p, field, clean, strlen(clean));
	else
		p->failed = true;
	free(clean);
}

void proto_put_message(struct proto *p, unsigned field, const struct proto *message)
{
	p->failed |= message->failed;
	proto_put_bytes(p, field, message->bytes, message->used);
}

bool proto_write(const struct proto *p, unsigned field, FILE *out)
{
	uint8_t bytes[2 * VARINT_BYTES];
	size_t count = encode_varint((uint64_t)field << 3 | WIRE_BYTES, bytes);

	count += encode_varint(p->used, bytes + count);
	return !p->failed && fwrite(bytes, 1, count, out) == count &&
	       fwrite(p->bytes, 1, p->used, out) == p->used;
}
