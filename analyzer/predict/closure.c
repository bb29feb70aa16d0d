/* SPDX-License-Identifier: MIT */
/*
 * closure.c - grows a part until nothing is missing in it.
 */
#include "closure.h"

#include "room.h"

#define USED_BY_NONE UINT32_MAX
#define USED_BY_MANY (UINT32_MAX - 1)

/* Locks of one thread only never keep another one out. */
static uint32_t *users_of_locks(const struct closure *c)
{
	uint32_t *user = room_new(c->sequence->locks.count, sizeof(*user));

	memset(user, 0xff, c->sequence->locks.count * sizeof(*user));
	for (uint32_t i = 0; i < c->acquires->count; i++) {
		const struct acquire *a = &c->acquires->acquire[i];

		if (user[a->lock] == USED_BY_NONE)
			user[a->lock] = a->thread;
		else if (user[a->lock] != a->thread)
			user[a->lock] = USED_BY_MANY;
	}
	return user;
}

static void index_acquires(struct closure *c)
{
	uint32_t threads = c->sequence->threads.count, *user = users_of_locks(c), *next;

	for (uint32_t i = 0; i < c->acquires->count; i++) {
		const struct acquire *a = &c->acquires->acquire[i];

		c->first[a->thread + 1] += a->made && user[a->lock] == USED_BY_MANY;
	}
	for (uint32_t t = 0; t < threads; t++)
		c->first[t + 1] += c->first[t];
	c->own = room_new(c->first[threads], sizeof(*c->own));
	next = room_new(threads, sizeof(*next));
	memcpy(next, c->first, threads * sizeof(*next));
	for (uint32_t i = 0; i < c->acquires->count; i++) {
		const struct acquire *a = &c->acquires->acquire[i];

		if (a->made && user[a->lock] == USED_BY_MANY)
			c->own[next[a->thread]++] = i;
	}
	free(next);
	free(user);
}

void closure_init(struct closure *closure, const struct predict_sequence *sequence,
		  const struct acquires *acquires, const struct order *order, bool locks)
{
	*closure = (struct closure){
		.sequence = sequence, .acquires = acquires, .order = order, .locks = locks
	};
	closure->in = room_new(sequence->threads.count, sizeof(*closure->in));
	closure->first = room_new(sequence->threads.count + 1, sizeof(*closure->first));
	closure->taken = room_new(sequence->threads.count, sizeof(*closure->taken));
	closure->newest = room_new(sequence->locks.count, sizeof(*closure->newest));
	closure->touched = room_new(sequence->locks.count, sizeof(*closure->touched));
	index_acquires(closure);
}

void closure_release(struct closure *closure)
{
	free(closure->in);
	free(closure->first);
	free(closure->own);
	free(closure->taken);
	free(closure->newest);
	free(closure->touched);
	*closure = (struct closure){ 0 };
}

static void start(struct closure *c)
{
	uint32_t threads = c->sequence->threads.count;

	memset(c->in, 0, threads * sizeof(*c->in));
	memcpy(c->taken, c->first, threads * sizeof(*c->taken));
	c->part++;
	c->steps += threads;
}

/* All that comes before the acquire, without it. */
static void require_before(struct closure *c, uint32_t acquire)
{
	struct clock_stamp before = c->order->acquired[acquire];

	/* The moment before is that of many: what the thread read between it and the acquire counts. */
	before.own--;
	clock_stamp_merge(&c->order->clocks, &before, c->in);
	c->steps += c->sequence->threads.count;
}

static bool require_release(struct closure *c, uint32_t acquire, bool *grew)
{
	const struct clock_stamp *released = &c->order->released[acquire];

	if (released->thread == CLOCK_STAMP_NONE)
		return false;
	*grew |= clock_stamp_join(&c->order->clocks, released, c->in);
	return true;
}

/* An acquire is in: who had the lock before has released it, and so has this one if somebody has it later. */
static bool take(struct closure *c, uint32_t acquire, bool *grew)
{
	uint32_t lock = c->acquires->acquire[acquire].lock, older = acquire;

	c->steps++;
	if (c->touched[lock] != c->part) {
		c->touched[lock] = c->part;
		c->newest[lock] = acquire;
		return true;
	}
	if (c->newest[lock] < acquire) {
		older = c->newest[lock];
		c->newest[lock] = acquire;
	}
	return require_release(c, older, grew);
}

/* False = no run has all of this in it: a lock is never given back. */
static bool close_part(struct closure *c)
{
	bool grew = c->locks;

	while (grew) {
		grew = false;
		c->steps += c->sequence->threads.count;
		for (uint32_t t = 0; t < c->sequence->threads.count; t++) {
			for (; c->taken[t] < c->first[t + 1]; c->taken[t]++) {
				uint32_t acquire = c->own[c->taken[t]];

				if (c->order->acquired[acquire].own > c->in[t])
					break;
				if (!take(c, acquire, &grew))
					return false;
			}
		}
	}
	return true;
}

static bool is_in(const struct closure *c, uint32_t acquire)
{
	const struct clock_stamp *at = &c->order->acquired[acquire];

	return at->own <= c->in[at->thread];
}

bool closure_find(struct closure *closure, const uint32_t *abstract, uint32_t count,
		  uint32_t *ret_acquire)
{
	uint32_t at[PATTERN_MOST];
	bool all_out = false;

	start(closure);
	for (uint32_t i = 0; i < count; i++)
		at[i] = closure->acquires->abstract[abstract[i]].first;
	while (!all_out) {
		for (uint32_t i = 0; i < count; i++)
			require_before(closure, at[i]);
		if (!close_part(closure))
			return false;
		all_out = true;
		for (uint32_t i = 0; i < count; i++) {
			while (at[i] != ACQUIRES_NONE && is_in(closure, at[i])) {
				at[i] = closure->acquires->acquire[at[i]].next_same;
				all_out = false;
			}
			if (at[i] == ACQUIRES_NONE)
				return false;
		}
	}
	memcpy(ret_acquire, at, count * sizeof(*at));
	return true;
}
