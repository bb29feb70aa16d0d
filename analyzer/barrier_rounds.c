/* SPDX-License-Identifier: MIT */
/*
 * barrier_rounds.c - for each barrier who uses it, and how often each arrived and left.
 */
#include "barrier_rounds.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { USERS_MOST = 1024 };

struct user {
	uint32_t thread, arrivals, leaves;
};

struct barrier {
	uint64_t count; /* 0 = not known */
	bool is_unclear;
	uint32_t user_count, user_capacity;
	struct user *user; /* owned */
};

struct barrier_rounds {
	struct barrier *barrier; /* owned; by object */
	size_t count;
	bool is_lost;
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct barrier_rounds *barrier_rounds_new(size_t object_count)
{
	struct barrier_rounds *r = checked(calloc(1, sizeof(*r)));

	r->count = object_count;
	return r;
}

void barrier_rounds_free(struct barrier_rounds *r)
{
	if (!r)
		return;
	for (size_t i = 0; r->barrier && i < r->count; i++)
		free(r->barrier[i].user);
	free(r->barrier);
	free(r);
}

void barrier_rounds_lost(struct barrier_rounds *r)
{
	r->is_lost = true;
}

/* NULL = there is no such object. */
static struct barrier *find(struct barrier_rounds *r, uint32_t object)
{
	if (!object || object >= r->count)
		return NULL;
	if (!r->barrier)
		r->barrier = checked(calloc(r->count, sizeof(*r->barrier)));
	return &r->barrier[object];
}

static bool is_clear(const struct barrier_rounds *r, const struct barrier *b)
{
	return b && !r->is_lost && !b->is_unclear && b->count;
}

/* NULL when it is one more than the barrier waits for: then any of them may have been in any round. */
static struct user *user_of(struct barrier *b, uint32_t thread)
{
	for (uint32_t i = 0; i < b->user_count; i++)
		if (b->user[i].thread == thread)
			return &b->user[i];
	if (b->user_count == b->count || b->user_count == USERS_MOST) {
		b->is_unclear = true;
		return NULL;
	}
	if (b->user_count == b->user_capacity) {
		b->user_capacity = b->user_capacity ? b->user_capacity * 2 : 4;
		b->user = checked(realloc(b->user, b->user_capacity * sizeof(*b->user)));
	}
	b->user[b->user_count] = (struct user){ .thread = thread };
	return &b->user[b->user_count++];
}

void barrier_rounds_init(struct barrier_rounds *r, uint32_t object, uint64_t count)
{
	struct barrier *b = find(r, object);

	if (!b)
		return;
	/* Again, or when it is in use already: whoever is still in there is of the one before. */
	b->is_unclear |= b->count || b->user_count;
	b->count = count;
}

unsigned barrier_rounds_arrive(struct barrier_rounds *r, uint32_t object, uint32_t thread)
{
	struct barrier *b = find(r, object);
	struct user *u = is_clear(r, b) ? user_of(b, thread) : NULL;

	if (b && !b->count)
		b->is_unclear = true;
	return u ? u->arrivals++ % 2 : BARRIER_ROUNDS_ANY;
}

unsigned barrier_rounds_leave(struct barrier_rounds *r, uint32_t object, uint32_t thread,
			      int result)
{
	struct barrier *b = find(r, object);
	struct user *u = is_clear(r, b) ? user_of(b, thread) : NULL;

	if (!u)
		return BARRIER_ROUNDS_ANY;
	/* It was refused: it took no part in what it seemed to arrive at. */
	if ((result && result != PTHREAD_BARRIER_SERIAL_THREAD) || u->leaves == u->arrivals) {
		b->is_unclear = true;
		return BARRIER_ROUNDS_ANY;
	}
	return u->leaves++ % 2;
}
