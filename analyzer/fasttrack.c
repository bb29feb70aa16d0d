/* SPDX-License-Identifier: MIT */
/*
 * fasttrack.c - the accesses of each location that still matter, in a hash table of cache lines.
 *
 * Why an access may go when a newer one comes: if the old one is ordered before the new one, and a third access is unordered with
 * the old one, then it is unordered with the new one too (were it ordered after the new one, it would be after the old one). So where
 * the new one conflicts with all that the old one conflicts with, the old one is not needed any more.
 */
#include "fasttrack.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { INLINE = 3, MORE_MOST = 64, FIRST_WORDS = 1 << 12 };

struct entry {
	uint32_t moment;
	uint16_t thread;
	uint8_t bytes; /* 0 = empty */
	uint8_t flags; /* enum fasttrack_flag */
	uint32_t place, set;
};

struct more {
	uint32_t count, capacity;
	struct entry entry[];
};

struct cell {
	uint64_t key;	   /* word + 1 | generation << 48; 0 = empty */
	struct more *more; /* owned; NULL = none */
	struct entry entry[INLINE];
};

_Static_assert(sizeof(struct cell) == 64, "a cache line");

struct fasttrack {
	struct happens_before *hb; /* borrowed */
	struct cell *cell;	   /* owned */
	size_t mask, used, most_words;
	uint64_t left_out;
	fasttrack_race on_race;
	void *cookie;
	/* The thread whose clock is at hand. */
	uint32_t thread, count, moment;
	const uint32_t *clock;
};

static struct cell *cells_new(size_t count)
{
	struct cell *cells = aligned_alloc(64, count * sizeof(*cells));

	if (!cells)
		abort();
	memset(cells, 0, count * sizeof(*cells));
	return cells;
}

struct fasttrack *fasttrack_new(struct happens_before *hb, size_t most_words,
				fasttrack_race on_race, void *cookie)
{
	struct fasttrack *ft = calloc(1, sizeof(*ft));

	if (!ft)
		abort();
	ft->hb = hb;
	ft->most_words = most_words;
	ft->mask = FIRST_WORDS - 1;
	ft->cell = cells_new(FIRST_WORDS);
	ft->on_race = on_race;
	ft->cookie = cookie;
	return ft;
}

void fasttrack_free(struct fasttrack *ft)
{
	if (!ft)
		return;
	for (size_t i = 0; i <= ft->mask; i++)
		free(ft->cell[i].more);
	free(ft->cell);
	free(ft);
}

uint64_t fasttrack_left_out(const struct fasttrack *ft)
{
	return ft->left_out;
}

void fasttrack_moved(struct fasttrack *ft)
{
	ft->clock = NULL;
}

/* ---- the table ---- */

/* Neighbours stay neighbours, eight words to a group: loops run along memory. */
static size_t home_of(const struct fasttrack *ft, uint64_t key)
{
	return (((key >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 29) ^ (key & 7)) & ft->mask;
}

static struct cell *probe(const struct fasttrack *ft, uint64_t key)
{
	size_t i = home_of(ft, key);

	while (ft->cell[i].key && ft->cell[i].key != key)
		i = (i + 1) & ft->mask;
	return &ft->cell[i];
}

static void grow(struct fasttrack *ft)
{
	struct cell *old = ft->cell;
	size_t count = ft->mask + 1;

	ft->mask = count * 2 - 1;
	ft->cell = cells_new(count * 2);
	for (size_t i = 0; i < count; i++)
		if (old[i].key)
			*probe(ft, old[i].key) = old[i];
	free(old);
}

/* NULL = no room for another one. */
static struct cell *cell_lookup_or_add(struct fasttrack *ft, uint64_t key)
{
	struct cell *c = probe(ft, key);

	if (__builtin_expect(c->key == key, 1))
		return c;
	if (ft->used >= ft->most_words) {
		ft->left_out++;
		return NULL;
	}
	if (2 * ++ft->used > ft->mask) {
		grow(ft);
		c = probe(ft, key);
	}
	c->key = key;
	return c;
}

/* ---- entries ---- */

static struct fasttrack_access access_of(const struct entry *e)
{
	return (struct fasttrack_access){ .thread = e->thread,
					  .moment = e->moment,
					  .place = e->place,
					  .set = e->set,
					  .bytes = e->bytes,
					  .writes = e->flags & FASTTRACK_WRITES,
					  .is_atomic = e->flags & FASTTRACK_ATOMIC };
}

static void tell(struct fasttrack *ft, const struct cell *c, const struct entry *old,
		 const struct entry *now)
{
	struct fasttrack_access a = access_of(old), b = access_of(now);

	ft->on_race(ft->cookie, ((c->key & ((UINT64_C(1) << 48) - 1)) - 1) << 3,
		    (uint16_t)(c->key >> 48), &a, &b);
}

/* Does `now` conflict with all that `old` conflicts with? */
static bool stands_for(const struct entry *now, const struct entry *old)
{
	return !(old->bytes & ~now->bytes) &&
	       (now->flags & FASTTRACK_WRITES || !(old->flags & FASTTRACK_WRITES)) &&
	       (!(now->flags & FASTTRACK_ATOMIC) || old->flags & FASTTRACK_ATOMIC);
}

enum fate { KEEP, DROP, KNOWN };

static inline enum fate meet(struct fasttrack *ft, const struct cell *c, const struct entry *old,
			     const struct entry *now)
{
	bool ordered;

	if (!(old->bytes & now->bytes))
		return KEEP;
	if (old->thread == now->thread) {
		if (old->moment == now->moment && stands_for(old, now))
			return KNOWN;
		return stands_for(now, old) ? DROP : KEEP;
	}
	ordered = old->thread < ft->count && ft->clock[old->thread] >= old->moment;
	if (!ordered && ((old->flags | now->flags) & FASTTRACK_WRITES) &&
	    !(old->flags & now->flags & FASTTRACK_ATOMIC)) {
		tell(ft, c, old, now);
		ordered = true; /* as if: each location need not be told again and again */
	}
	return ordered && stands_for(now, old) ? DROP : KEEP;
}

static void add_more(struct cell *c, const struct entry *now)
{
	struct more *m = c->more;

	if (!m || m->count == m->capacity) {
		uint32_t capacity = m ? m->capacity * 2 : 4;

		if (m && capacity > MORE_MOST) { /* the oldest goes */
			memmove(m->entry, m->entry + 1, (m->count - 1) * sizeof(*m->entry));
			m->entry[m->count - 1] = *now;
			return;
		}
		m = realloc(m, sizeof(*m) + capacity * sizeof(*m->entry));
		if (!m)
			abort();
		m->count = c->more ? m->count : 0;
		m->capacity = capacity;
		c->more = m;
	}
	m->entry[m->count++] = *now;
}

static __attribute__((noinline)) bool meet_more(struct fasttrack *ft, struct cell *c,
						const struct entry *now)
{
	struct more *m = c->more;

	for (uint32_t i = 0; i < m->count;) {
		switch (meet(ft, c, &m->entry[i], now)) {
		case KNOWN:
			return true;
		case DROP:
			m->entry[i] = m->entry[--m->count];
			break;
		case KEEP:
			i++;
			break;
		}
	}
	return false;
}

/* Who, when, which bytes and how, as one number: equal ones are the same access again. */
static inline uint64_t what_of(const struct entry *e)
{
	uint64_t what;

	memcpy(&what, e, sizeof(what));
	return what;
}
_Static_assert(offsetof(struct entry, place) == sizeof(uint64_t), "what_of");

static inline void touch_word(struct fasttrack *ft, uint64_t key, const struct entry *now)
{
	struct cell *c = cell_lookup_or_add(ft, key);
	unsigned room = INLINE;

	if (!c || what_of(&c->entry[0]) == what_of(now) || what_of(&c->entry[1]) == what_of(now) ||
	    what_of(&c->entry[2]) == what_of(now))
		return;
	for (unsigned i = 0; i < INLINE; i++) {
		if (!c->entry[i].bytes) {
			room = room < i ? room : i;
			continue;
		}
		switch (meet(ft, c, &c->entry[i], now)) {
		case KNOWN:
			return;
		case DROP:
			c->entry[i].bytes = 0;
			room = room < i ? room : i;
			break;
		case KEEP:
			break;
		}
	}
	if (__builtin_expect(c->more != NULL, 0) && meet_more(ft, c, now))
		return;
	if (room < INLINE)
		c->entry[room] = *now;
	else
		add_more(c, now);
}

static uint64_t key_of(uint64_t address, uint16_t generation)
{
	return ((address >> 3) + 1) | (uint64_t)generation << 48;
}

void fasttrack_prefetch(const struct fasttrack *ft, uint64_t address, uint16_t generation)
{
	__builtin_prefetch(&ft->cell[home_of(ft, key_of(address, generation))], 1);
}

void fasttrack_touch(struct fasttrack *ft, uint32_t thread, uint64_t address, uint64_t bytes,
		     uint16_t generation, unsigned flags, uint32_t place, uint32_t set)
{
	struct entry now = { .flags = (uint8_t)flags, .place = place, .set = set };

	if (thread > UINT16_MAX || !bytes)
		return;
	if (ft->thread != thread || !ft->clock) {
		ft->clock = happens_before_clock(ft->hb, thread, &ft->count);
		ft->thread = thread;
		if (!ft->clock)
			return;
		ft->moment = ft->clock[thread];
	}
	now.thread = (uint16_t)thread;
	now.moment = ft->moment;
	while (bytes) {
		unsigned from = address & 7, n = 8 - from;

		n = bytes < n ? (unsigned)bytes : n;
		now.bytes = (uint8_t)(((1u << n) - 1) << from);
		touch_word(ft, key_of(address, generation), &now);
		address += n;
		bytes -= n;
	}
}
