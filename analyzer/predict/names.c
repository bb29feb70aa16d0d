/* SPDX-License-Identifier: MIT */
/*
 * names.c - open addressing, linear probing, at most half full.
 */
#include "names.h"

#include "room.h"

#include <stdbool.h>

#define FIRST_SLOTS 1024u
#define LONG ((uint32_t)NAMES_LONG << 24)

static uint64_t hash_of_long(const char *word, size_t bytes)
{
	uint64_t hash = bytes, part;

	for (; bytes >= sizeof(part); word += sizeof(part), bytes -= sizeof(part)) {
		memcpy(&part, word, sizeof(part));
		hash = names_mix(hash + part, hash);
	}
	part = 0;
	memcpy(&part, word, bytes);
	return names_mix(hash + part, hash);
}

void names_grow(struct names *names)
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
		at = names_hash(names, old[i].low, old[i].high) & names->mask;
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

void names_key_long(struct names_key *key)
{
	key->low = hash_of_long(key->word, key->bytes);
	key->high = LONG;
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

uint32_t names_search(struct names *names, const struct names_key *key)
{
	size_t at;

	if (names->count >= names->mask / 2)
		names_grow(names);
	for (at = key->hash & names->mask; names->slot[at].high; at = (at + 1) & names->mask)
		if (is_word(names, &names->slot[at], key))
			return names->slot[at].id;
	names->slot[at] = (struct names_slot){ key->low, key->high, names->count };
	return add(names, key->word, key->bytes);
}

uint32_t names_lookup_or_add(struct names *names, const char *word, size_t bytes, size_t readable)
{
	struct names_key key;

	names_key(names, word, bytes, readable, &key);
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
