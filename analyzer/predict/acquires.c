/* SPDX-License-Identifier: MIT */
/*
 * acquires.c - one pass over the sequence with the stack of locks of each thread.
 */
#include "acquires.h"

#include "room.h"

struct held {
	uint32_t *acquire; /* owns; outermost first */
	size_t count, capacity;
	uint32_t wanted; /* lock + 1 of an open request */
	size_t request;
};

struct collect {
	struct acquires *out;
	struct held *held; /* owns; by thread */
	uint32_t *sorted;  /* owns */
	size_t sorted_capacity;
};

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
		.first = ACQUIRES_NONE,
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
		uint32_t outer = c->out->acquire[held->acquire[i]].lock;
		size_t at = i;

		for (; at && c->sorted[at - 1] > outer; at--)
			c->sorted[at] = c->sorted[at - 1];
		c->sorted[at] = outer;
	}
	return lookup_or_add(c->out, thread, lock, c->sorted, (uint32_t)held->count);
}

static void add(struct collect *c, uint32_t thread, uint32_t lock, size_t event, bool made)
{
	struct acquires *out = c->out;
	struct held *held = &c->held[thread];
	struct acquire a = { .thread = thread,
			     .lock = lock,
			     .event = event,
			     .abstract = ACQUIRES_NONE,
			     .next_same = ACQUIRES_NONE,
			     .outer = ACQUIRES_NONE,
			     .made = made };

	if (held->count) {
		struct abstract_acquire *abstract;

		out->edges++;
		a.outer = held->acquire[held->count - 1];
		a.abstract = abstract_of(c, thread, lock);
		abstract = &out->abstract[a.abstract];
		if (abstract->count++)
			out->acquire[abstract->last].next_same = out->count;
		else
			abstract->first = out->count;
		abstract->last = out->count;
	}
	out->acquire = room_for(out->acquire, out->count, 1, &out->capacity, sizeof(*out->acquire));
	out->acquire[out->count++] = a;
	if (!made)
		return;
	held->acquire =
		room_for(held->acquire, held->count, 1, &held->capacity, sizeof(*held->acquire));
	held->acquire[held->count++] = out->count - 1;
}

static void drop(struct collect *c, uint32_t thread, uint32_t lock)
{
	struct held *held = &c->held[thread];
	size_t at = held->count;

	while (c->out->acquire[held->acquire[--at]].lock != lock)
		;
	c->out->acquire[held->acquire[at]].released = true;
	held->count--;
	memmove(held->acquire + at, held->acquire + at + 1,
		(held->count - at) * sizeof(*held->acquire));
}

static void apply(struct collect *c, const struct predict_event *e, size_t index)
{
	struct held *held = &c->held[e->thread];

	if (e->op == PREDICT_ACQUIRE)
		add(c, e->thread, e->object, index, true);
	else if (e->op == PREDICT_RELEASE)
		drop(c, e->thread, e->object);
	/* A thread that goes on, or ends, is not stuck in what it requested. */
	if (e->op == PREDICT_JOIN)
		c->held[e->object].wanted = 0;
	held->wanted = e->op == PREDICT_REQUEST ? e->object + 1 : 0;
	held->request = index;
}

int acquires_collect(const struct predict_sequence *sequence, struct acquires *ret_acquires,
		     struct diag *diag)
{
	struct collect c = { .out = ret_acquires };
	int error = 0;

	*ret_acquires = (struct acquires){ 0 };
	c.held = room_new(sequence->threads.count, sizeof(*c.held));
	for (size_t i = 0; !error && i < sequence->count; i++) {
		apply(&c, &sequence->event[i], i);
		if (ret_acquires->count >= ACQUIRES_NONE - PREDICT_MOST_THREADS - 1)
			error = diag_set(diag, THRUM_EFORMAT, "more than 4 G acquires");
	}
	for (uint32_t t = 0; t < sequence->threads.count; t++) {
		if (c.held[t].wanted)
			add(&c, t, c.held[t].wanted - 1, c.held[t].request, false);
		free(c.held[t].acquire);
	}
	free(c.held);
	free(c.sorted);
	return error;
}

void acquires_release(struct acquires *acquires)
{
	free(acquires->acquire);
	free(acquires->abstract);
	free(acquires->pool);
	free(acquires->slot);
	*acquires = (struct acquires){ 0 };
}
