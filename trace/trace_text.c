/* SPDX-License-Identifier: MIT */
/*
 * trace_text.c - strings of a process in blocks that are freed together.
 */
#include "trace_text.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_BLOCK_BYTES 16384u

struct trace_text {
	struct trace_text *next;
	size_t used, capacity;
	char bytes[];
};

char *trace_text_add(struct trace_text **text, const char *bytes, size_t count)
{
	size_t n = strnlen(bytes, count);
	struct trace_text *t = *text;
	char *copy;

	if (!t || t->capacity - t->used <= n) {
		size_t capacity = n + 1 > TEXT_BLOCK_BYTES ? n + 1 : TEXT_BLOCK_BYTES;

		t = malloc(sizeof(*t) + capacity);
		if (!t) {
			return NULL;
		}
		*t = (struct trace_text){ .next = *text, .capacity = capacity };
		*text = t;
	}
	copy = t->bytes + t->used;
	memcpy(copy, bytes, n);
	copy[n] = '\0';
	t->used += n + 1;
	return copy;
}

void trace_text_free(struct trace_text *text)
{
	while (text) {
		struct trace_text *next = text->next;

		free(text);
		text = next;
	}
}
