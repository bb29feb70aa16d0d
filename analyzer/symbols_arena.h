/* SPDX-License-Identifier: MIT */
/*
 * symbols_arena.h - memory of one symbols object or module file: allocated in pieces, freed at
 * once.
 *
 * A failed allocation ends the program (hosted code only): callers never see NULL. Not thread-safe.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_ARENA_H
#define THRUM_ANALYZER_SYMBOLS_ARENA_H

#include <stddef.h>

struct symbols_arena_chunk;

struct symbols_arena {
	struct symbols_arena_chunk *chunks; /* owns; newest first */
};

void symbols_arena_init(struct symbols_arena *arena);
void symbols_arena_release(struct symbols_arena *arena);

/* Zeroed and aligned for any type. */
void *symbols_arena_alloc(struct symbols_arena *arena, size_t bytes);
char *symbols_arena_copy(struct symbols_arena *arena, const char *text); /* NULL gives NULL */
__attribute__((format(printf, 2, 3), nonnull)) char *
symbols_arena_printf(struct symbols_arena *arena, const char *format, ...);

/*
 * Growing of a malloc'ed array: room for one more element of `element_bytes` at index `count`.
 * Replaces `*capacity`.
 */
void *symbols_array_grow(void *array, size_t count, size_t *capacity, size_t element_bytes);

#endif
