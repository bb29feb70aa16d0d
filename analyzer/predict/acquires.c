/* SPDX-License-Identifier: MIT */
/*
 * acquires.c - one pass over the sequence with the stack of locks of each thread; its marks say that a part can end in the section.
 */
#include "acquires.h"

struct collect {
	const struct lock_order *order;
	struct acquires *out;
	struct held *held; /* owns; by thread */
	uint32_t *user;	   /* owns; by lock: thread + 1 that acquired it; SEVERAL = more than one */
	uint32_t *sorted;  /* owns */
	size_t sorted_capacity;
};

#define SEVERAL UINT32_MAX
#define AHEAD 16u /* events: what is known of a lock is seldom in a cache where there are many */

static uint32_t hash_of(uint32_t thread, uint32_t lock, const uint32_t *held, uint32_t count)
{
	uint64_t hash = (uint64_t)thread << 32 | lock;

	for (uint32_t i = 0; i < count; i++)
		hash = (hash ^ held[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 31);
	hash *= UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(hash >> 33);
}

static void grow_slots(struct acquires *a)
{
	uint32_t mask = a->slot ? a->mask * 2 + 1 : 1023;

	free(a->slot);
	a->slot = room_new((size_t)mask + 1, sizeof(*a->slot));
	a->mask = mask;
	for (uint32_t i = 0; i < a->abstract_count; i++) {
		const struct abstract_acquire *b = &a->abstract[i];
		uint32_t at = hash_of(b->thread, b->lock, acquires_held(a, b), b->held_count) &
			      mask;

		while (a->slot[at])
			at = (at + 1) & mask;
		a->slot[at] = i + 1;
	}
}

static uint32_t lookup_or_add(struct acquires *a, uint32_t thread, uint32_t lock,
			      const uint32_t *held, uint32_t count)
{
	uint32_t at;

	if (!a->slot || a->abstract_count >= a->mask / 2)
		grow_slots(a);
	at = hash_of(thread, lock, held, count) & a->mask;

	for (; a->slot[at]; at = (at + 1) & a->mask) {
		const struct abstract_acquire *b = &a->abstract[a->slot[at] - 1];

		if (b->thread == thread && b->lock == lock && b->held_count == count &&
		    !memcmp(acquires_held(a, b), held, count * sizeof(*held)))
			return a->slot[at] - 1;
	}
	a->pool = room_for(a->pool, a->pool_count, count, &a->pool_capacity, sizeof(*a->pool));
	memcpy(a->pool + a->pool_count, held, count * sizeof(*held));
	a->abstract = room_for(a->abstract, a->abstract_count, 1, &a->abstract_capacity,
			       sizeof(*a->abstract));
	a->abstract[a->abstract_count] = (struct abstract_acquire){
		.thread = thread,
		.lock = lock,
		.held = a->pool_count,
		.held_count = count,
	};
	a->pool_count += count;
	a->slot[at] = ++a->abstract_count;
	return a->abstract_count - 1;
}

static uint32_t abstract_of(struct collect *c, uint32_t thread, uint32_t lock)
{
	struct held *held = &c->held[thread];

	c->sorted = room_for(c->sorted, 0, held->count, &c->sorted_capacity, sizeof(*c->sorted));
	for (size_t i = 0; i < held->count; i++) {
		uint32_t outer = held->lock[i].lock;
		size_t at = i;

		for (; at && c->sorted[at - 1] > outer; at--)
			c->sorted[at] = c->sorted[at - 1];
		c->sorted[at] = outer;
	}
	return lookup_or_add(c->out, thread, lock, c->sorted, (uint32_t)held->count);
}

static bool is_in_circle(const struct collect *c, const struct held *held, uint32_t lock)
{
	uint32_t circle = c->order->component[lock];

	if (circle == LOCK_ORDER_NONE)
		return false;
	for (size_t i = 0; i < held->count; i++)
		if (c->order->component[held->lock[i].lock] == circle)
			return true;
	return false;
}

/* A part can end here: in all sections that the thread is in. That of the newest says it for those around it. */
static void mark(struct held *held)
{
	if (held->count)
		held->lock[held->count - 1].mark = true;
}

static void request(struct collect *c, uint32_t thread, uint32_t lock, size_t event)
{
	struct acquires *out = c->out;
	uint32_t abstract;

	if (!is_in_circle(c, &c->held[thread], lock))
		return;
	abstract = abstract_of(c, thread, lock);
	out->abstract[abstract].count++;
	out->occurrence = room_for(out->occurrence, out->occurrences, 1, &out->occurrence_capacity,
				   sizeof(*out->occurrence));
	out->occurrence[out->occurrences++] =
		(struct occurrence){ .event = (uint32_t)event, .abstract = abstract };
	mark(&c->held[thread]);
}

static void acquire(struct collect *c, const struct digest_event *e)
{
	uint32_t *user = &c->user[e->object];

	*user = !*user || *user == e->thread + 1 ? e->thread + 1 : SEVERAL;
	if (e->op == DIGEST_ACQUIRE)
		request(c, e->thread, e->object, e->event);
	held_add(&c->held[e->thread], e->object, false);
}

static bool is_marked(const struct held *held, size_t from)
{
	for (; from < held->count; from++)
		if (held->lock[from].mark)
			return true;
	return false;
}

static void release(struct collect *c, const struct digest_event *e)
{
	struct held *held = &c->held[e->thread];
	size_t at = held_find(held, e->object);
	bool marked = is_marked(held, at);

	c->out->keeps[e->object] |= marked;
	held_drop(held, at);
	if (marked)
		mark(held);
}

static void apply(struct collect *c, const struct digest_event *e, bool sees)
{
	if (e->wrote && sees)
		mark(&c->held[e->thread]);
	switch (e->op) {
	case DIGEST_ACQUIRE:
	case DIGEST_TRY:
		acquire(c, e);
		break;
	case DIGEST_RELEASE:
		release(c, e);
		break;
	case DIGEST_FORK:
	case DIGEST_NOTIFY:
		mark(&c->held[e->thread]);
		break;
	case DIGEST_JOIN:
		mark(&c->held[e->object]);
		break;
	case DIGEST_SEES:
	case DIGEST_LEARNS:
	case DIGEST_WAKES:
	case DIGEST_UNKNOWN:
	case DIGEST_WAIT:
		break;
	}
}

static void fetch(const struct collect *c, const struct digest_event *e)
{
	if (e->op != DIGEST_ACQUIRE)
		return;
	__builtin_prefetch(&c->user[e->object], 1);
	__builtin_prefetch(&c->order->component[e->object]);
}

/* What a thread ends with; and which locks nobody is kept out of. */
static void finish(struct collect *c, const struct digest *digest, const struct predict_sequence *s)
{
	struct acquires *out = c->out;

	out->made = (uint32_t)out->occurrences;
	for (uint32_t t = 0; t < s->threads.count; t++) {
		const struct digest_thread *thread = &digest->thread[t];
		struct held *held = &c->held[t];

		if (thread->wrote && digest->sees)
			mark(held);
		if (thread->request.event && held->count)
			request(c, t, thread->request.lock, thread->request.event - 1);
		for (size_t i = 0; i < held->count; i++)
			out->keeps[held->lock[i].lock] |= is_marked(held, i);
	}
	for (uint32_t l = 0; l < s->locks.count; l++)
		out->keeps[l] = c->order->component[l] != LOCK_ORDER_NONE ||
				(out->keeps[l] && c->user[l] == SEVERAL);
}

void acquires_collect(const struct digest *digest, const struct predict_sequence *sequence,
		      const struct lock_order *order, struct acquires *ret_acquires)
{
	struct collect c = { .order = order, .out = ret_acquires };
	struct digest_event event[DIGEST_BLOCK];
	uint32_t first = 0;

	*ret_acquires = (struct acquires){ .keeps = room_new(sequence->locks.count, 1) };
	c.held = held_new(sequence->threads.count);
	c.user = room_new(sequence->locks.count, sizeof(*c.user));
	for (size_t block = 0; block < digest_blocks(digest); block++) {
		size_t count = digest_read(digest, block, event);

		digest_tell(sequence, digest, block);
		for (size_t i = 0; i < count; i++) {
			if (i + AHEAD < count)
				fetch(&c, &event[i + AHEAD]);
			apply(&c, &event[i], digest->sees);
		}
	}
	finish(&c, digest, sequence);
	for (uint32_t i = 0; i < ret_acquires->abstract_count; i++) {
		ret_acquires->abstract[i].first = first;
		first += ret_acquires->abstract[i].count;
	}
	held_free(c.held, sequence->threads.count);
	free(c.user);
	free(c.sorted);
}

void acquires_release(struct acquires *acquires)
{
	free(acquires->abstract);
	free(acquires->pool);
	free(acquires->slot);
	free(acquires->occurrence);
	free(acquires->keeps);
	free(acquires->acquire);
	free(acquires->of_abstract);
	*acquires = (struct acquires){ 0 };
}
