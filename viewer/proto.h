/* SPDX-License-Identifier: MIT */
/*
 * proto.h - messages in the wire form of protocol buffers, written field by field: as much as an export needs, and no schema.
 *
 * Fields may come in any order and more than once. A message inside another is written into a buffer of its own first, since its
 * length goes before it. Out of memory sets `failed`, and nothing is added from then on.
 */
#ifndef THRUM_VIEWER_PROTO_H
#define THRUM_VIEWER_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Zeroed = empty. */
struct proto {
	uint8_t *bytes; /* owned */
	size_t used, room;
	bool failed;
};

void proto_clear(struct proto *p); /* keeps the memory */
void proto_release(struct proto *p);

void proto_put_number(struct proto *p, unsigned field,
		      uint64_t value); /* any varint type but sint */
void proto_put_fixed64(struct proto *p, unsigned field, uint64_t value);
void proto_put_bytes(struct proto *p, unsigned field, const void *bytes, size_t count);
/* Any bytes; what is not UTF-8 becomes U+FFFD. */
void proto_put_text(struct proto *p, unsigned field, const char *text);
void proto_put_message(struct proto *p, unsigned field, const struct proto *message);

/* The message as field `field` of a message that is the whole file. False = `failed`, or the file could not be written. */
bool proto_write(const struct proto *p, unsigned field, FILE *out);

#endif
