/* SPDX-License-Identifier: MIT */
/*
 * shim_fact_keys.c - bounded mode: which keys of facts were met.
 */
#include "shim_facts_private.h"

enum {
	PROBES = 32,
	KEYS_LIMIT = (1 << FACT_KEY_BITS) / 4 * 3,
	/* The rest is for places that nobody has heard of yet … */
	KEYS_COMMON = (1 << FACT_KEY_BITS) / 8 * 5,
	FEW_KEYS = 16,
	/* … and no place gets more than this: one that locks pairs out of thousands would fill it all. */
	KEYS_OF_PLACE = KEYS_COMMON / 4,
};

/* Without a look: it may be one that is known. */
static void count_lost(struct stream *s)
{
	uint32_t lost = ++s->bounded->lost, some = lost <= 256 ? 1 : 256;

	if (lost % some == 0) { /* else threads get into each other's way */
		__atomic_fetch_add(&shim->process->lost_facts, some, __ATOMIC_RELAXED);
	}
}

static bool has_room(struct facts *w, const _Atomic uint32_t *of_place)
{
	uint32_t n = atomic_load_explicit(of_place, memory_order_relaxed);
	uint32_t all = atomic_load_explicit(&w->keys, memory_order_relaxed);

	return !w->full &&
	       (n < FEW_KEYS ? all <= KEYS_LIMIT : n < KEYS_OF_PLACE && all <= KEYS_COMMON);
}

bool facts_are_full(struct stream *s, uint32_t place)
{
	struct facts *w = shim->facts;

	if (!has_room(w, &w->keys_of[facts_class_of(place)])) {
		count_lost(s);
		return true;
	}
	return false;
}

bool facts_is_new(struct stream *s, uint64_t key, uint32_t place)
{
	struct facts *w = shim->facts;
	_Atomic uint32_t *of_place = &w->keys_of[facts_class_of(place)];
	uint64_t at = (key * 0x9e3779b97f4a7c15u) >> (64 - FACT_KEY_BITS);
	bool room = has_room(w, of_place);

	key += !key;
	for (unsigned i = 0; i < PROBES && room; i++) {
		_Atomic uint64_t *slot = &w->key[(at + i) % (1 << FACT_KEY_BITS)];
		uint64_t found = atomic_load_explicit(slot, memory_order_relaxed);

		if (!found && atomic_compare_exchange_strong(slot, &found, key)) {
			atomic_fetch_add_explicit(&w->keys, 1, memory_order_relaxed);
			atomic_fetch_add_explicit(of_place, 1, memory_order_relaxed);
			return true;
		}
		if (found == key) {
			return false;
		}
	}
	count_lost(s); /* the old ones stay */
	return false;
}
