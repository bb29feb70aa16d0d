/* SPDX-License-Identifier: MIT */
/*
 * packed.h - bytes through raw deflate into base64: how a page carries data that the browser unpacks by itself.
 */
#ifndef THRUM_VIEWER_PACKED_H
#define THRUM_VIEWER_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct packed;

/* NULL = out of memory, which the others take. `out` is borrowed. */
struct packed *packed_new(FILE *out);
void packed_add(struct packed *packed, const void *bytes, size_t count);
/* Ends the stream and frees. False = it failed. */
bool packed_finish(struct packed *packed);

#endif
