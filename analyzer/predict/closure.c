/* SPDX-License-Identifier: MIT */
/*
 * closure.c - grows a part until nothing is missing in it.
 */
#include "closure.h"

#include "clocks.h"

void closure_init(struct closure *closure, const struct predict_sequence *sequence,
		  const struct acquires *acquires, const struct learn_log *log,
		  const uint32_t *limit, const struct acquire_index *index)
{
	*closure = (struct closure){ .sequence = sequence,
				     .acquires = acquires,
				     .limit = limit,
				     .log = log,
				     .index = index };
	/* As wide as a clock of the log, which is joined into them. */
	closure->in = room_new(log->width, sizeof(*closure->in));
	closure->known = room_new(log->width, sizeof(*closure->known));
}

void closure_release(struct closure *closure)
{
	free(closure->in);
	free(closure->known);
	*closure = (struct closure){ 0 };
}

void closure_start(struct closure *closure)
{
	memset(closure->in, 0, closure->log->width * sizeof(*closure->in));
	memset(closure->known, 0, closure->log->width * sizeof(*closure->known));
	closure->steps += closure->log->width / CLOCK_LANES;
}

/* ---- what its threads know ---- */

static void raise_to(uint32_t *entry, uint32_t value)
{
	*entry = *entry > value ? *entry : value;
}

/* All that `thread` learnt up to the moment: from the last clock of the log on. */
static void learn(struct closure *c, uint32_t thread, uint32_t moment)
{
	const struct learn_list *list = &c->log->list[thread];
	uint32_t before = c->known[thread];
	size_t from, until, clock;

	c->known[thread] = moment;
	if (!list->count || list->learnt[0].at > moment)
		return;
	from = learn_list_until(list, before);
	until = learn_list_until(list, moment);
	clock = until / c->log->spacing;
	if (clock * c->log->spacing > from) {
		clock_join(c->in, list->clock + (clock - 1) * c->log->width, c->log->width);
		from = clock * c->log->spacing;
		c->steps += c->log->width / CLOCK_LANES;
	}
	c->steps += 20 + until - from;
	for (; from < until; from++)
		raise_to(&c->in[list->learnt[from].thread], list->learnt[from].own);
}

void closure_need(struct closure *closure, uint32_t thread, uint32_t moment)
{
	raise_to(&closure->in[thread], moment);
}

static bool close_order(struct closure *c)
{
	bool grew = true;

	while (grew) {
		grew = false;
		c->steps += c->log->threads / 4;
		for (uint32_t t = 0; t < c->log->threads; t++) {
			if (c->limit && c->in[t] >= c->limit[t])
				return false;
			if (c->in[t] <= c->known[t])
				continue;
			learn(c, t, c->in[t]);
			grew = true;
		}
	}
	return true;
}

/* ---- locks ---- */

/* The first of the sorted `count` acquires that comes after the moment of its thread: all are of one. */
static uint32_t after_moment(const struct acquires *a, const uint32_t *acquire, uint32_t count,
			     uint32_t moment)
{
	uint32_t low = 0;

	while (low < count) {
		uint32_t middle = low + (count - low) / 2;

		if (a->acquire[acquire[middle]].own <= moment)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/* The first one that is newer than an acquire. */
static uint32_t after_acquire(const uint32_t *acquire, uint32_t count, uint32_t than)
{
	uint32_t low = 0;

	while (low < count) {
		uint32_t middle = low + (count - low) / 2;

		if (acquire[middle] <= than)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/* Has somebody in the part acquired the lock after that? */
static bool is_newer_in(struct closure *c, uint32_t acquire)
{
	const struct acquire_index *index = c->index;
	const struct acquire *a = &c->acquires->acquire[acquire];

	for (uint32_t u = index->user_first[a->lock]; u < index->user_first[a->lock + 1]; u++) {
		const uint32_t *of_user = index->by_lock + index->user[u];
		uint32_t count = index->user[u + 1] - index->user[u];
		const struct acquire *first = &c->acquires->acquire[*of_user];
		uint32_t at;

		c->steps += 4;
		if (first->thread == a->thread || first->own > c->in[first->thread])
			continue;
		at = after_acquire(of_user, count, acquire);
		c->steps += 16;
		if (at < count && c->acquires->acquire[of_user[at]].own <= c->in[first->thread])
			return true;
	}
	return false;
}

/* Sections that the thread's prefix ends in. False = one must be left, and never is. */
static bool close_sections(struct closure *c, uint32_t thread)
{
	const struct acquire_index *index = c->index;
	const uint32_t *own = index->by_thread + index->thread_first[thread];
	uint32_t count = index->thread_first[thread + 1] - index->thread_first[thread];
	uint32_t acquire, left, newest;
	const struct acquire *a;

	count = after_moment(c->acquires, own, count, c->in[thread]);
	c->steps += 20;
	if (!count)
		return true;
	acquire = own[count - 1];
	newest = c->acquires->acquire[acquire].own;
	/* It, and those that were held then: some on the way to them had been released before. */
	left = c->acquires->acquire[acquire].held + 1;
	for (; left; acquire = a->outer) {
		a = &c->acquires->acquire[acquire];
		c->steps++;
		left -= !a->released || a->released > newest;
		if (a->released && a->released <= c->in[thread])
			continue;
		if (!is_newer_in(c, acquire))
			continue;
		if (!a->released)
			return false;
		raise_to(&c->in[thread], a->released);
	}
	return true;
}

bool closure_close(struct closure *closure)
{
	for (;;) {
		bool grew = false;

		if (!close_order(closure))
			return false;
		if (!closure->index)
			return true;
		for (uint32_t t = 0; t < closure->log->threads; t++) {
			uint32_t before = closure->in[t];

			if (before && !close_sections(closure, t))
				return false;
			grew |= closure->in[t] > before;
		}
		if (!grew)
			return true;
	}
}

/* ---- rings ---- */

static const uint32_t *acquires_of(const struct closure *c, uint32_t abstract)
{
	return c->acquires->of_abstract + c->acquires->abstract[abstract].first;
}

bool closure_find(struct closure *closure, const uint32_t *abstract, uint32_t count,
		  uint32_t *ret_acquire)
{
	const struct acquires *a = closure->acquires;
	uint32_t at[PATTERN_MOST] = { 0 };
	bool all_out = false;

	closure_start(closure);
	while (!all_out) {
		for (uint32_t i = 0; i < count; i++) {
			const struct acquire *next =
				&a->acquire[acquires_of(closure, abstract[i])[at[i]]];

			closure_need(closure, next->thread, next->own - 1);
		}
		if (!closure_close(closure))
			return false;
		all_out = true;
		for (uint32_t i = 0; i < count; i++) {
			const struct abstract_acquire *b = &a->abstract[abstract[i]];
			uint32_t out = after_moment(a, acquires_of(closure, abstract[i]), b->count,
						    closure->in[b->thread]);

			closure->steps += 20;
			all_out &= out == at[i];
			at[i] = out;
			if (out == b->count)
				return false;
		}
	}
	for (uint32_t i = 0; i < count; i++)
		ret_acquire[i] = acquires_of(closure, abstract[i])[at[i]];
	return true;
}
