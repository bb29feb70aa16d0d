/* SPDX-License-Identifier: MIT */
/*
 * names.c - open addressing, linear probing, at most half full.
 */
#include "names.h"

#include "room.h"

#include <stdbool.h>

#define FIRST_SLOTS 1024u
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)
#define LONG (UINT32_C(0xff) << 24)

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t hash = (a ^ (b * UINT64_C(0xff51afd7ed558ccd))) * MULTIPLIER;

	return hash ^ (hash >> 29);
}

static uint64_t hash_of_long(const char *word, size_t bytes)
{
	uint64_t hash = bytes, part;

	for (; bytes >= sizeof(part); word += sizeof(part), bytes -= sizeof(part)) {
		memcpy(&part, word, sizeof(part));
		hash = mix(hash + part, hash);
	}
	part = 0;
	memcpy(&part, word, bytes);
	return mix(hash + part, hash);
}

/* The bytes of a short word, of which at least `readable` may be looked at. */
static void fill_short(struct names_key *key, size_t readable)
{
	uint64_t part[2] = { 0, 0 };
	size_t bytes = key->bytes;

	if (readable >= sizeof(part)) {
		memcpy(part, key->word, sizeof(part));
		if (bytes <= 8) {
			part[0] &= ~UINT64_C(0) >> (8 * (8 - bytes));
			part[1] = 0;
		} else {
			part[1] &= ~UINT64_C(0) >> (8 * (16 - bytes));
		}
	} else {
		memcpy(part, key->word, bytes);
	}
	key->low = part[0];
	key->high = (uint32_t)part[1] | (uint32_t)bytes << 24;
}

static uint32_t hash_of(const struct names *names, uint64_t low, uint32_t high)
{
	return (uint32_t)(mix(low ^ names->seed, high) >> 7);
}

static void grow(struct names *names)
{
	struct names_slot *old = names->slot;
	size_t count = old ? names->mask + 1 : 0;

	names->mask = old ? count * 2 - 1 : FIRST_SLOTS - 1;
	names->slot = room_new(names->mask + 1, sizeof(*names->slot));
	if (!old)
		names->seed = (uintptr_t)names->slot;
	for (size_t i = 0; i < count; i++) {
		size_t at;

		if (!old[i].high)
			continue;
		at = hash_of(names, old[i].low, old[i].high) & names->mask;
		while (names->slot[at].high)
			at = (at + 1) & names->mask;
		names->slot[at] = old[i];
	}
	free(old);
}

static uint32_t add(struct names *names, const char *word, size_t bytes)
{
	names->text = room_for(names->text, names->text_bytes, bytes, &names->text_capacity, 1);
	names->start = room_for(names->start, names->count, 2, &names->start_capacity,
				sizeof(*names->start));
	memcpy(names->text + names->text_bytes, word, bytes);
	names->start[names->count] = names->text_bytes;
	names->text_bytes += bytes;
	names->start[names->count + 1] = names->text_bytes;
	return names->count++;
}

struct names_key names_key(struct names *names, const char *word, size_t bytes, size_t readable)
{
	struct names_key key = { .word = word, .bytes = bytes };

	if (!names->slot)
		grow(names);
	if (bytes > NAMES_SHORT) {
		key.low = hash_of_long(word, bytes);
		key.high = LONG;
	} else {
		fill_short(&key, readable);
	}
	key.hash = hash_of(names, key.low, key.high);
	__builtin_prefetch(&names->slot[key.hash & names->mask]);
	return key;
}

static bool is_word(const struct names *names, const struct names_slot *slot,
		    const struct names_key *key)
{
	size_t bytes;
	const char *known;

	if (slot->low != key->low || slot->high != key->high)
		return false;
	if (key->high != LONG)
		return true;
	known = names_get(names, slot->id, &bytes);
	return bytes == key->bytes && !memcmp(known, key->word, bytes);
}

uint32_t names_lookup_or_add_key(struct names *names, const struct names_key *key)
{
	size_t at;

	if (names->count >= names->mask / 2)
		grow(names);
	for (at = key->hash & names->mask; names->slot[at].high; at = (at + 1) & names->mask)
		if (is_word(names, &names->slot[at], key))
			return names->slot[at].id;
	names->slot[at] = (struct names_slot){ key->low, key->high, names->count };
	return add(names, key->word, key->bytes);
}

uint32_t names_lookup_or_add(struct names *names, const char *word, size_t bytes, size_t readable)
{
	struct names_key key = names_key(names, word, bytes, readable);

	return names_lookup_or_add_key(names, &key);
}

const char *names_get(const struct names *names, uint32_t id, size_t *ret_bytes)
{
	*ret_bytes = names->start[id + 1] - names->start[id];
	return names->text + names->start[id];
}

void names_release(struct names *names)
{
	free(names->slot);
	free(names->text);
	free(names->start);
	*names = (struct names){ 0 };
}
