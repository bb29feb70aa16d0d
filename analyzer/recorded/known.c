/* SPDX-License-Identifier: MIT */
/*
 * known.c - of each variable and thread the newest write and some reads, as moments of happens_before.
 */
#include "known.h"

#include "../predict/room.h"

enum { READS = 4 };

struct seen {
	uint32_t moment;
	size_t event;
};

/* What one thread did with a variable. Reads of one moment are one; the oldest are joined where there are too many. */
struct user {
	uint32_t thread, next; /* index + 1 */
	uint32_t wrote;	       /* moment of its newest write; 0 = none */
	uint32_t reads;
	struct seen read[READS];
};

struct variable {
	uint32_t users;	  /* index + 1 */
	bool is_disputed; /* its newest writes are not ordered */
	bool has_value; /* atomic: what the newest operation of the sequence left, or what was there before the first */
	bool was_left; /* by an atomic operation, after the newest plain write */
	uint8_t value;
};

struct known {
	struct happens_before *hb; /* borrowed */
	struct variable *variable; /* owns */
	size_t count, capacity;
	struct user *user; /* owns */
	size_t user_count, user_capacity;
	size_t *until; /* owns; by thread */
	size_t threads;
};

struct known *known_new(struct happens_before *hb, size_t threads)
{
	struct known *k = room_new(1, sizeof(*k));

	k->hb = hb;
	k->threads = threads;
	k->until = room_new(threads, sizeof(*k->until));
	for (size_t t = 0; t < threads; t++)
		k->until[t] = KNOWN_ALL;
	return k;
}

void known_free(struct known *k)
{
	if (!k)
		return;
	free(k->variable);
	free(k->user);
	free(k->until);
	free(k);
}

void known_not(struct known *k, uint32_t thread, size_t event)
{
	if (thread < k->threads && event < k->until[thread])
		k->until[thread] = event;
}

size_t known_until(const struct known *k, uint32_t thread)
{
	return thread < k->threads ? k->until[thread] : 0;
}

static struct variable *variable_of(struct known *k, uint32_t variable)
{
	k->variable =
		room_zeroed(k->variable, &k->count, variable, &k->capacity, sizeof(*k->variable));
	return &k->variable[variable];
}

static struct user *user_of(struct known *k, struct variable *v, uint32_t thread)
{
	for (uint32_t i = v->users; i; i = k->user[i - 1].next)
		if (k->user[i - 1].thread == thread)
			return &k->user[i - 1];
	k->user = room_for(k->user, k->user_count, 1, &k->user_capacity, sizeof(*k->user));
	k->user[k->user_count] = (struct user){ .thread = thread, .next = v->users };
	v->users = (uint32_t)++k->user_count;
	return &k->user[k->user_count - 1];
}

static void keep_read(struct user *u, uint32_t moment, size_t event)
{
	if (u->reads && u->read[u->reads - 1].moment == moment)
		return;
	if (u->reads == READS) {
		u->read[1].event = u->read[0].event;
		memmove(u->read, u->read + 1, (READS - 1) * sizeof(*u->read));
		u->reads--;
	}
	u->read[u->reads++] = (struct seen){ moment, event };
}

static bool is_known(const struct known *k, uint32_t thread)
{
	return thread < k->threads && k->until[thread] == KNOWN_ALL;
}

/* Are the plain writes so far ordered with each other, and before what the thread does now? */
static bool are_ordered(const struct known *k, const struct variable *v, uint32_t thread)
{
	bool ordered = !v->is_disputed;

	for (uint32_t i = v->users; ordered && i; i = k->user[i - 1].next) {
		const struct user *u = &k->user[i - 1];

		ordered = !u->wrote || happens_before_is(k->hb, u->thread, u->wrote, thread);
	}
	return ordered;
}

void known_read(struct known *k, uint32_t thread, uint32_t variable, size_t event)
{
	struct variable *v = variable_of(k, variable);

	/* What it does from here on does not matter any more. */
	if (!is_known(k, thread))
		return;
	if (v->was_left || !are_ordered(k, v, thread))
		known_not(k, thread, event);
	else
		keep_read(user_of(k, v, thread), happens_before_now(k->hb, thread), event);
}

/* Reads of others that this write is not ordered after may have seen it. */
static void doubt_reads(struct known *k, const struct user *u, uint32_t thread)
{
	for (uint32_t i = 0; i < u->reads; i++)
		if (!happens_before_is(k->hb, u->thread, u->read[i].moment, thread)) {
			known_not(k, u->thread, u->read[i].event);
			return;
		}
}

void known_write(struct known *k, uint32_t thread, uint32_t variable)
{
	struct variable *v = variable_of(k, variable);
	bool disputed = false;

	for (uint32_t i = v->users; i; i = k->user[i - 1].next) {
		const struct user *u = &k->user[i - 1];

		if (u->thread == thread)
			continue;
		doubt_reads(k, u, thread);
		disputed |= u->wrote && !happens_before_is(k->hb, u->thread, u->wrote, thread);
	}
	v->is_disputed = disputed;
	v->has_value = v->was_left = false;
	user_of(k, v, thread)->wrote = happens_before_now(k->hb, thread);
}

/* ---- atomic operations ---- */

void known_saw(struct known *k, uint32_t thread, uint32_t variable, uint8_t from, size_t event)
{
	struct variable *v = variable_of(k, variable);

	if (!v->has_value) {
		v->has_value = true;
		v->value = from;
	}
	if (v->value != from || !are_ordered(k, v, thread))
		known_not(k, thread, event);
	else if (is_known(k, thread))
		keep_read(user_of(k, v, thread), happens_before_now(k->hb, thread), event);
}

void known_left(struct known *k, uint32_t variable, uint8_t to)
{
	struct variable *v = variable_of(k, variable);

	/* Who read before it may have read this: what was there before is told by those reads alone. */
	for (uint32_t i = v->was_left ? 0 : v->users; i && v->has_value && v->value == to;
	     i = k->user[i - 1].next)
		if (k->user[i - 1].reads)
			known_not(k, k->user[i - 1].thread, k->user[i - 1].read[0].event);
	v->was_left = v->has_value = true;
	v->value = to;
}
