/* SPDX-License-Identifier: MIT */
/*
 * names.h - words of a trace and their dense numbers: 0, 1, 2 … in the order in which they came.
 *
 * Made for short words: up to NAMES_SHORT bytes are compared in the table itself, longer ones by hash and text. The table is seeded by an
 * address, so that no file can be made that fills one chain of it.
 *
 * A table of many words is seldom in a cache: whoever knows the words of some lines ahead makes their keys first.
 */
#ifndef THRUM_ANALYZER_PREDICT_NAMES_H
#define THRUM_ANALYZER_PREDICT_NAMES_H

#include <stddef.h>
#include <stdint.h>

enum { NAMES_SHORT = 11 };

struct names_slot {
	uint64_t low;  /* bytes of a short word, hash of a long one */
	uint32_t high; /* the other bytes; 0 = free: a used one has the length in its top byte */
	uint32_t id;
};

struct names_key {
	uint64_t low;
	uint32_t high;
	uint32_t hash;
	const char *word; /* borrowed */
	size_t bytes;
};

/* Zeroed = empty. */
struct names {
	struct names_slot *slot; /* owns */
	size_t mask;
	uint64_t seed;
	char *text; /* owns; words without ends */
	size_t text_bytes, text_capacity;
	size_t *start; /* owns; by id; count + 1 entries */
	size_t start_capacity;
	uint32_t count;
};

/* The same in two steps; between them the word stays where it is. The first one begins to fetch what the second one needs. */
struct names_key names_key(struct names *names, const char *word, size_t bytes, size_t readable);
uint32_t names_lookup_or_add_key(struct names *names, const struct names_key *key);

/* `readable` bytes from `word` on may be looked at; at least `bytes`, of which there is at least one. */
uint32_t names_lookup_or_add(struct names *names, const char *word, size_t bytes, size_t readable);

/* Not terminated: `ret_bytes` long. Valid until the next one is added. */
const char *names_get(const struct names *names, uint32_t id, size_t *ret_bytes);

void names_release(struct names *names);

#endif
