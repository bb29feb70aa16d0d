/* SPDX-License-Identifier: MIT */
/*
 * names.c - open addressing, linear probing, at most half full.
 */
#include "names.h"

#include "room.h"

#define SHORT_BYTES 15u
#define FIRST_SLOTS 1024u
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

struct key {
	uint64_t low, high;
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t hash = (a ^ (b * UINT64_C(0xff51afd7ed558ccd))) * MULTIPLIER;

	return hash ^ (hash >> 29);
}

static struct key key_of_long(const char *word, size_t bytes)
{
	struct key key = { .low = bytes, .high = UINT64_C(0xff) << 56 };

	for (size_t i = 0; i < bytes; i++)
		key.low = mix(key.low + (unsigned char)word[i], key.low);
	return key;
}

static struct key key_of(const char *word, size_t bytes, size_t readable)
{
	struct key key = { 0, 0 };

	if (bytes > SHORT_BYTES)
		return key_of_long(word, bytes);
	if (readable >= sizeof(key)) {
		memcpy(&key, word, sizeof(key));
		if (bytes <= 8) {
			key.low &= ~UINT64_C(0) >> (8 * (8 - bytes));
			key.high = 0;
		} else {
			key.high &= ~UINT64_C(0) >> (8 * (16 - bytes));
		}
	} else {
		memcpy(&key, word, bytes);
	}
	key.high |= (uint64_t)bytes << 56;
	return key;
}

static size_t place_of(const struct names *names, struct key key)
{
	uint64_t hash = mix(key.low ^ names->seed, key.high);

	return (size_t)(hash >> 7) & names->mask;
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
		at = place_of(names, (struct key){ old[i].low, old[i].high });
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

uint32_t names_lookup_or_add(struct names *names, const char *word, size_t bytes, size_t readable)
{
	struct key key = key_of(word, bytes, readable);
	struct names_slot *slot;

	if (!names->slot || names->count >= names->mask / 2)
		grow(names);
	for (size_t at = place_of(names, key);; at = (at + 1) & names->mask) {
		size_t known_bytes;
		const char *known;

		slot = &names->slot[at];
		if (!slot->high)
			break;
		if (slot->low != key.low || slot->high != key.high)
			continue;
		if (bytes <= SHORT_BYTES)
			return slot->id;
		known = names_get(names, slot->id, &known_bytes);
		if (known_bytes == bytes && !memcmp(known, word, bytes))
			return slot->id;
	}
	*slot = (struct names_slot){ key.low, key.high, names->count };
	return add(names, word, bytes);
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
