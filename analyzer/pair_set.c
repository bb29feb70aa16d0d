/* SPDX-License-Identifier: MIT */
/*
 * pair_set.c - open addressing, linear probing, at most three quarters full.
 */
#include "pair_set.h"

#include <stdlib.h>

#define FIRST_SLOTS 4096u

static size_t place_of(const struct pair_set *set, uint64_t key)
{
	uint64_t hash = (key ^ (key >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(hash ^ (hash >> 32));

	while (set->slot[at & set->mask] && set->slot[at & set->mask] != key)
		at++;
	return at & set->mask;
}

static void grow(struct pair_set *set)
{
	struct pair_set old = *set;
	size_t slots = old.slot ? (old.mask + 1) * 2 : FIRST_SLOTS;

	set->slot = calloc(slots, sizeof(*set->slot));
	if (!set->slot)
		abort();
	set->mask = slots - 1;
	for (size_t i = 0; old.slot && i <= old.mask; i++)
		if (old.slot[i])
			set->slot[place_of(set, old.slot[i])] = old.slot[i];
	free(old.slot);
}

void pair_set_add(struct pair_set *set, uint32_t from, uint32_t to)
{
	uint64_t key = (uint64_t)from << 32 | to;
	size_t at;

	if (!set->slot || set->count >= set->mask / 4 * 3)
		grow(set);
	at = place_of(set, key);
	if (!set->slot[at]) {
		set->slot[at] = key;
		set->count++;
	}
}

bool pair_set_has(const struct pair_set *set, uint32_t from, uint32_t to)
{
	return set->slot && set->slot[place_of(set, (uint64_t)from << 32 | to)];
}

void pair_set_release(struct pair_set *set)
{
	free(set->slot);
	*set = (struct pair_set){ 0 };
}
