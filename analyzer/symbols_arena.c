/* SPDX-License-Identifier: MIT */
/*
 * symbols_arena.c - chunks of memory, each used from its start on; nothing is freed before all is.
 */
#include "symbols_arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (32u * 1024u)
#define ALIGN 16u

struct symbols_arena_chunk {
	struct symbols_arena_chunk *next;
	size_t used, bytes;
	_Alignas(ALIGN) unsigned char data[];
};

void symbols_arena_init(struct symbols_arena *arena)
{
	arena->chunks = NULL;
}

void symbols_arena_release(struct symbols_arena *arena)
{
	for (struct symbols_arena_chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena->chunks = NULL;
}

static struct symbols_arena_chunk *grow(struct symbols_arena *arena, size_t bytes)
{
	size_t room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
	struct symbols_arena_chunk *chunk = NULL;

	if (room <= SIZE_MAX - sizeof(*chunk))
		chunk = malloc(sizeof(*chunk) + room);
	if (!chunk)
		abort();
	chunk->used = 0;
	chunk->bytes = room;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

void *symbols_arena_alloc(struct symbols_arena *arena, size_t bytes)
{
	struct symbols_arena_chunk *chunk = arena->chunks;
	void *memory;

	if (bytes > SIZE_MAX - ALIGN)
		abort();
	bytes = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!chunk || chunk->bytes - chunk->used < bytes)
		chunk = grow(arena, bytes);
	memory = chunk->data + chunk->used;
	chunk->used += bytes;
	return memset(memory, 0, bytes);
}

char *symbols_arena_copy(struct symbols_arena *arena, const char *text)
{
	size_t bytes;

	if (!text)
		return NULL;
	bytes = strlen(text) + 1;
	return memcpy(symbols_arena_alloc(arena, bytes), text, bytes);
}

char *symbols_arena_printf(struct symbols_arena *arena, const char *format, ...)
{
	va_list args;
	int length;
	char *text;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		abort();
	text = symbols_arena_alloc(arena, (size_t)length + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

void *symbols_array_grow(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? 2 * *capacity : 16;
	array = reallocarray(array, *capacity, element_bytes);
	if (!array)
		abort();
	return array;
}
