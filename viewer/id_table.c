/* SPDX-License-Identifier: MIT */
/*
 * id_table.c - see id_table.h.
 */
#include "id_table.h"

#include <stdlib.h>

/* Twice as many slots as keys: both double together. */
static uint32_t *find_slot(const struct id_table *t, struct id_key key)
{
	uint64_t x = (key.high * UINT64_C(0x9e3779b97f4a7c15)) ^ key.low;
	size_t mask = 2 * t->capacity - 1, at;

	x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
	at = (x >> 32) & mask;
	while (t->slot[at] &&
	       (t->key[t->slot[at] - 1].high != key.high || t->key[t->slot[at] - 1].low != key.low))
		at = (at + 1) & mask;
	return &t->slot[at];
}

static bool grow(struct id_table *t)
{
	size_t capacity = t->capacity ? t->capacity * 2 : 64;
	struct id_key *key = realloc(t->key, capacity * sizeof(*key));
	uint32_t *slot;

	if (!key)
		return false;
	t->key = key;
	slot = calloc(2 * capacity, sizeof(*slot));
	if (!slot)
		return false;
	free(t->slot);
	t->slot = slot;
	t->capacity = capacity;
	for (size_t i = 0; i < t->count; i++)
		*find_slot(t, key[i]) = (uint32_t)i + 1;
	return true;
}

uint32_t id_table_get(struct id_table *t, uint64_t high, uint64_t low, bool *ret_is_new)
{
	struct id_key key = { high, low };
	uint32_t *slot;

	if (t->count == UINT32_MAX || (t->count == t->capacity && !grow(t)))
		return 0;
	slot = find_slot(t, key);
	*ret_is_new = !*slot;
	if (!*slot) {
		t->key[t->count++] = key;
		*slot = (uint32_t)t->count;
	}
	return *slot;
}

void id_table_release(struct id_table *t)
{
	free(t->key);
	free(t->slot);
	*t = (struct id_table){ 0 };
}
