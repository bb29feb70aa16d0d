/* SPDX-License-Identifier: MIT */
/*
 * lock_order_solve.c - which cycles of the lock-order graph can really block: one thread per edge,
 * all at the same time.
 *
 * A cycle counts when every edge has a use such that
 *
 *   threads   all uses belong to different threads
 *   modes     each request conflicts with the next thread's hold: one side is exclusive, or the
 *             rwlock lets a waiting writer go first and some other thread writes it
 *   gates     no two held sets share a lock that one of them holds exclusively
 *   order     no request is ordered before another by create, join or a barrier: to be blocked at
 *             both requests at once, neither may have to be over before the other starts
 *
 * When it does not count, the conditions are dropped from the end until it would: the last one
 * dropped is the reason.
 */
#include "lock_order_solve.h"

#include <stdlib.h>
#include <string.h>

#define SOLVE_BUDGET 200000u /* pairs looked at for one cycle */
#define PAIR_BUDGET 4096u    /* pairs looked at for one pair of edges */

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* ---- contexts of an edge ---- */

/* A brand-new held lock is out of reach only if others come to it by way of the requested one. */
static bool is_out_of_reach(const struct solver *s, const struct lock_context *c)
{
	const struct lock_edge *e = &s->graph->edge[c->edge];
	const struct model_object *held = model_get_object(s->a->model, e->from);

	if (!(c->flags & LOCK_PRIVATE))
		return false;
	return held->only_thread != MODEL_MANY_THREADS ||
	       model_set_has(s->a->model, held->second_set, e->to);
}

static uint32_t weakness_of(const struct solver *s, const struct lock_context *c)
{
	return (c->flags & LOCK_BOUNDED ? WEAK_BOUNDED : 0) |
	       (c->flags & LOCK_UNCERTAIN ? WEAK_UNCERTAIN : 0) |
	       (is_out_of_reach(s, c) ? WEAK_PRIVATE : 0);
}

/* Strong ones first, then in the order they were met: the list has the newest first. */
void lock_solver_load_edge(struct solver *s, struct edge_info *info)
{
	const struct lock_edge *e = &s->graph->edge[info->edge];
	uint32_t count = 0, at = 0;

	if (info->context)
		return;
	for (uint32_t c = e->contexts; c; c = s->graph->context[c].next)
		count++;
	info->context = allocate(count, sizeof(*info->context));
	info->count = at = count;
	for (uint32_t c = e->contexts; c; c = s->graph->context[c].next) {
		const struct lock_context *x = &s->graph->context[c];
		const struct lock_use *use = lock_context_get_uses(x);

		info->context[--at] = c;
		for (uint32_t i = 0; i < x->use_count; i++) {
			if (info->only_thread == 0)
				info->only_thread = use[i].thread;
			else if (info->only_thread != use[i].thread)
				info->only_thread = MODEL_MANY_THREADS;
		}
	}
	if (info->only_thread == MODEL_MANY_THREADS)
		info->only_thread = 0;
	/* Stable partition: weak ones to the end. */
	for (uint32_t i = 0, strong = 0; i < count; i++) {
		uint32_t c = info->context[i];

		if (weakness_of(s, &s->graph->context[c]))
			continue;
		memmove(&info->context[strong + 1], &info->context[strong],
			(i - strong) * sizeof(c));
		info->context[strong++] = c;
	}
}

/* ---- do two uses fit? ---- */

static bool is_ordered(struct solver *s, struct lock_use x, struct lock_use y, bool barriers_too)
{
	struct model *m = s->a->model;

	if (!model_is_before(m, x.segment, y.segment) && !model_is_before(m, y.segment, x.segment))
		return false;
	return barriers_too || !(model_is_before_by_barrier(m, x.segment, y.segment) ||
				 model_is_before_by_barrier(m, y.segment, x.segment));
}

bool lock_solver_uses_fit(struct solver *s, const struct lock_context *c, struct lock_use x,
			  const struct lock_context *d, struct lock_use y, enum condition condition)
{
	if (x.thread == y.thread)
		return false;
	if (condition >= WITH_GATES && model_sets_exclude(s->a->model, c->set, d->set))
		return false;
	return condition < WITH_CREATE || !is_ordered(s, x, y, condition == WITH_ALL);
}

/* Is there a pair of uses of two edges that fits? When unsure, yes. */
static bool edges_fit(struct solver *s, struct edge_info *x, struct edge_info *y)
{
	uint32_t work = 0;

	lock_solver_load_edge(s, x);
	lock_solver_load_edge(s, y);
	if (x->only_thread && x->only_thread == y->only_thread)
		return false;
	for (uint32_t i = 0; i < x->count; i++) {
		const struct lock_context *c = &s->graph->context[x->context[i]];

		for (uint32_t j = 0; j < y->count; j++) {
			const struct lock_context *d = &s->graph->context[y->context[j]];

			if (model_sets_exclude(s->a->model, c->set, d->set))
				continue;
			for (uint32_t u = 0; u < c->use_count; u++)
				for (uint32_t v = 0; v < d->use_count; v++)
					if (++work > PAIR_BUDGET ||
					    lock_solver_uses_fit(s, c, lock_context_get_uses(c)[u],
								 d, lock_context_get_uses(d)[v],
								 WITH_ALL))
						return true;
		}
	}
	return false;
}

bool lock_solver_edges_fit(struct solver *s, uint32_t x, uint32_t y)
{
	uint64_t key = x < y ? (uint64_t)x << 32 | y : (uint64_t)y << 32 | x;
	uint64_t slot = (key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - PAIR_CACHE_BITS);

	if (s->pair_key[slot] != key + 1) {
		s->pair_key[slot] = key + 1;
		s->pair_fits[slot] = edges_fit(s, &s->info[x], &s->info[y]);
	}
	return s->pair_fits[slot];
}

/* ---- one use per edge ---- */

/* Does some thread outside the cycle wait to write `object` while `waiter` waits to read it? */
static bool has_writer(struct solver *s, uint32_t object, const struct lock_choice *waiter)
{
	uint32_t e = lock_graph_find_edge(s->graph, LOCK_GRAPH_WRITERS, object);

	for (uint32_t c = e ? s->graph->edge[e].contexts : 0; c; c = s->graph->context[c].next) {
		const struct lock_context *x = &s->graph->context[c];
		const struct lock_use *use = lock_context_get_uses(x);

		for (uint32_t i = 0; i < x->use_count; i++) {
			bool outside = !is_ordered(s, use[i], waiter->use, true);

			for (uint32_t k = 0; k < s->length && outside; k++)
				outside = s->choice[k].use.thread != use[i].thread;
			if (outside)
				return true;
		}
	}
	return false;
}

static bool is_read_read(const struct solver *s, const struct lock_choice *waiter,
			 const struct lock_choice *holder)
{
	return (s->graph->context[waiter->context].flags & LOCK_WANT_SHARED) &&
	       (s->graph->context[holder->context].flags & LOCK_HELD_SHARED);
}

/* Choice `waiter` waits for what `holder` holds: can it have to? */
static bool conflicts(struct solver *s, const struct lock_choice *waiter,
		      const struct lock_choice *holder)
{
	uint32_t object = s->graph->edge[s->graph->context[waiter->context].edge].to;

	if (!is_read_read(s, waiter, holder))
		return true;
	return model_object_prefers_writer(model_get_object(s->a->model, object)) &&
	       lock_graph_find_edge(s->graph, LOCK_GRAPH_WRITERS, object);
}

static bool choice_fits(struct solver *s, uint32_t depth)
{
	const struct lock_choice *mine = &s->choice[depth];
	const struct lock_context *c = &s->graph->context[mine->context];

	for (uint32_t i = 0; i < depth; i++)
		if (!lock_solver_uses_fit(s, &s->graph->context[s->choice[i].context],
					  s->choice[i].use, c, mine->use, s->condition))
			return false;
	s->work += depth + 1;
	if (s->condition < WITH_MODES)
		return true;
	if (depth > 0 && !conflicts(s, &s->choice[depth - 1], mine))
		return false;
	return depth + 1 < s->length || conflicts(s, mine, &s->choice[0]);
}

/* All uses chosen: the readers that only a writer can stop need that writer outside the cycle. */
static bool writers_fit(struct solver *s)
{
	for (uint32_t i = 0; i < s->length && s->condition >= WITH_MODES; i++) {
		const struct lock_choice *waiter = &s->choice[i],
					 *holder = &s->choice[(i + 1) % s->length];

		if (is_read_read(s, waiter, holder) &&
		    !has_writer(s, s->graph->edge[s->graph->context[waiter->context].edge].to,
				waiter))
			return false;
	}
	return true;
}

/* How many of the chosen uses hold a permit of `semaphore`. */
static uint32_t count_permits(const struct solver *s, uint32_t semaphore)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->length; i++)
		count += model_set_has(s->a->model, s->graph->context[s->choice[i].context].set,
				       semaphore);
	return count;
}

/* A counting semaphore lets only so many in at the same time. */
static bool permits_fit(const struct solver *s)
{
	for (uint32_t i = 0; i < s->length && s->condition >= WITH_GATES; i++) {
		uint32_t count;
		const uint32_t *element = model_get_set(
			s->a->model, s->graph->context[s->choice[i].context].set, &count);

		for (uint32_t k = 0; k < count; k++) {
			const struct model_object *o =
				model_get_object(s->a->model, MODEL_SET_OBJECT(element[k]));

			if (o->kind == TRACE_OBJECT_SEM && (o->flags & MODEL_SEM_PERMITS) &&
			    o->detail && count_permits(s, o->id) > o->detail->sem.initial)
				return false;
		}
	}
	return true;
}

static bool choose(struct solver *s, uint32_t depth)
{
	struct edge_info *info;

	if (depth == s->length)
		return permits_fit(s) && writers_fit(s);
	info = &s->info[s->path[depth]];
	for (uint32_t i = 0; i < info->count; i++) {
		const struct lock_context *c = &s->graph->context[info->context[i]];

		if (!s->weak_too && weakness_of(s, c))
			break; /* weak ones are last */
		for (uint32_t u = 0; u < c->use_count && s->work < SOLVE_BUDGET; u++) {
			s->choice[depth] =
				(struct lock_choice){ .edge = info->edge,
						      .context = info->context[i],
						      .use = lock_context_get_uses(c)[u] };
			s->work++;
			if (choice_fits(s, depth) && choose(s, depth + 1))
				return true;
		}
	}
	return false;
}

static bool solve(struct solver *s, enum condition condition, bool weak_too)
{
	s->condition = condition;
	s->weak_too = weak_too;
	s->work = 0;
	return choose(s, 0);
}

/* ---- cycles ---- */

/* The first condition that cannot be met. */
static enum prune_reason find_reason(struct solver *s)
{
	static const enum prune_reason reason[] = { PRUNE_ONE_THREAD, PRUNE_READ_READ, PRUNE_GATE,
						    PRUNE_ORDERED_CREATE, PRUNE_ORDERED_BARRIER };

	for (enum condition condition = WITH_THREADS; condition < WITH_ALL; condition++) {
		if (solve(s, condition, true))
			continue;
		return s->work >= SOLVE_BUDGET ? PRUNE_BUDGET : reason[condition];
	}
	return s->work >= SOLVE_BUDGET ? PRUNE_BUDGET : PRUNE_ORDERED_BARRIER;
}

/* S14: a lock that was gone before another edge was first made joins nothing. */
static bool spans_destroyed(const struct solver *s)
{
	for (uint32_t i = 0; i < s->length; i++) {
		uint64_t gone =
			lock_graph_get_gone(s->graph, s->graph->edge[s->info[s->path[i]].edge].to);

		for (uint32_t k = 0; gone && k < s->length; k++) {
			uint64_t first = UINT64_MAX;

			for (uint32_t c = s->graph->edge[s->info[s->path[k]].edge].contexts; c;
			     c = s->graph->context[c].next)
				if (s->graph->context[c].request_ns < first)
					first = s->graph->context[c].request_ns;
			if (first > gone)
				return true;
		}
	}
	return false;
}

static bool is_observed(const struct solver *s)
{
	uint32_t *object;
	bool observed;

	if (s->a->observed_count == 0)
		return false;
	object = allocate(s->length, sizeof(*object));
	for (uint32_t i = 0; i < s->length; i++)
		object[i] = s->graph->edge[s->info[s->path[i]].edge].to;
	observed = analysis_is_observed(s->a, object, s->length);
	free(object);
	return observed;
}

static void describe(struct solver *s, struct lock_cycle *ret_cycle)
{
	uint32_t read_read = 0;

	*ret_cycle = (struct lock_cycle){ .choice = s->choice, .count = s->length };
	for (uint32_t i = 0; i < s->length; i++) {
		ret_cycle->weakness |= weakness_of(s, &s->graph->context[s->choice[i].context]);
		read_read += is_read_read(s, &s->choice[i], &s->choice[(i + 1) % s->length]);
	}
	ret_cycle->behind_writer = read_read > 0;
	if (read_read > 0 && read_read < s->length)
		ret_cycle->weakness |= WEAK_MIXED_READ;
}

/* Returns whether it counts. */
bool lock_solver_judge(struct solver *s)
{
	struct lock_cycle cycle;

	for (uint32_t i = 0; i < s->length; i++)
		lock_solver_load_edge(s, &s->info[s->path[i]]);
	if (is_observed(s)) {
		s->a->stats->pruned[PRUNE_OBSERVED]++;
		return true; /* reported already, by another checker */
	}
	if (spans_destroyed(s)) {
		s->a->stats->pruned[PRUNE_DESTROYED]++;
		return false;
	}
	if (!solve(s, WITH_ALL, false) && !solve(s, WITH_ALL, true)) {
		s->a->stats->pruned[find_reason(s)]++;
		return false;
	}
	describe(s, &cycle);
	if (cycle.weakness & WEAK_BOUNDED)
		s->a->stats->bounded_cycles++;
	lock_report_cycle(s->report, &cycle);
	return true;
}
