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
#include <string.h>

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

/* For the inline functions. */
void names_grow(struct names *names);
void names_key_long(struct names_key *key);
uint32_t names_search(struct names *names, const struct names_key *key);

enum { NAMES_LONG = 0xff }; /* top byte of `high` */

static inline uint64_t names_mix(uint64_t a, uint64_t b)
{
	uint64_t hash = (a ^ (b * UINT64_C(0xff51afd7ed558ccd))) * UINT64_C(0x9e3779b97f4a7c15);

	return hash ^ (hash >> 29);
}

static inline uint32_t names_hash(const struct names *names, uint64_t low, uint32_t high)
{
	return (uint32_t)(names_mix(low ^ names->seed, high) >> 7);
}

/* The bytes of a short word, of which at least `readable` may be looked at. */
static inline void names_key_short(struct names_key *key, size_t readable)
{
	uint64_t part[2] = { 0, 0 };
	size_t bytes = key->bytes;

	if (readable < sizeof(part)) {
		memcpy(part, key->word, bytes);
	} else {
		memcpy(part, key->word, sizeof(part));
		if (bytes <= 8) {
			part[0] &= ~UINT64_C(0) >> (8 * (8 - bytes));
			part[1] = 0;
		} else {
			part[1] &= ~UINT64_C(0) >> (8 * (16 - bytes));
		}
	}
	key->low = part[0];
	key->high = (uint32_t)part[1] | (uint32_t)bytes << 24;
}

/*
 * The same in two steps; between them the word stays where it is. The first one begins to fetch what the second one needs. A key is written
 * in place: a copy right after would wait for it.
 */
static inline void names_key(struct names *names, const char *word, size_t bytes, size_t readable,
			     struct names_key *ret_key)
{
	if (__builtin_expect(!names->slot, 0))
		names_grow(names);
	ret_key->word = word;
	ret_key->bytes = bytes;
	if (__builtin_expect(bytes > NAMES_SHORT, 0))
		names_key_long(ret_key);
	else
		names_key_short(ret_key, readable);
	ret_key->hash = names_hash(names, ret_key->low, ret_key->high);
	__builtin_prefetch(&names->slot[ret_key->hash & names->mask]);
}

static inline uint32_t names_lookup_or_add_key(struct names *names, const struct names_key *key)
{
	const struct names_slot *slot = &names->slot[key->hash & names->mask];

	if (__builtin_expect(slot->low == key->low && slot->high == key->high &&
				     key->bytes <= NAMES_SHORT,
			     1))
		return slot->id;
	return names_search(names, key);
}

/* `readable` bytes from `word` on may be looked at; at least `bytes`, of which there is at least one. */
uint32_t names_lookup_or_add(struct names *names, const char *word, size_t bytes, size_t readable);

/* Not terminated: `ret_bytes` long. Valid until the next one is added. */
const char *names_get(const struct names *names, uint32_t id, size_t *ret_bytes);

void names_release(struct names *names);

#endif
