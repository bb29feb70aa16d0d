/* SPDX-License-Identifier: MIT */
/*
 * lock_order_search.c - where to look for trouble in the collected facts: cycles of locks, read
 * sides taken twice, condition waits that keep what their signaller needs.
 */
#include "lock_order_solve.h"

#include "../cycle.h"

#include <stdlib.h>
#include <string.h>

#define SEARCH_BUDGET UINT64_C(100000000) /* steps of cycle_search */
#define NESTED_BUDGET 4096u		  /* pairs of a wait and a signal looked at */
#define LONGEST_CYCLE 4096u		  /* recursion depth of the solver */

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* ---- cycles ---- */

/* The same for all rotations of a cycle. */
static uint64_t hash_cycle(const uint32_t *edge, uint32_t count)
{
	uint64_t hash = count;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t x = (edge[i] + 1) * UINT64_C(0x9e3779b97f4a7c15);

		hash += (x ^ (x >> 31)) * UINT64_C(0xbf58476d1ce4e5b9);
	}
	return hash | 1;
}

static bool first_time(struct solver *s, uint64_t hash)
{
	uint64_t at = hash >> 7;

	if (s->seen_count * 2 >= s->seen_mask) {
		uint64_t *old = s->seen;
		uint32_t size = s->seen_mask + 1;

		s->seen = allocate((size_t)size * 2, sizeof(*s->seen));
		s->seen_mask = size * 2 - 1;
		for (uint32_t i = 0; i < size && old; i++) {
			uint64_t to = old[i] >> 7;

			while (old[i] && s->seen[to & s->seen_mask])
				to++;
			if (old[i])
				s->seen[to & s->seen_mask] = old[i];
		}
		free(old);
	}
	while (s->seen[at & s->seen_mask] && s->seen[at & s->seen_mask] != hash)
		at++;
	if (s->seen[at & s->seen_mask])
		return false;
	s->seen[at & s->seen_mask] = hash;
	s->seen_count++;
	return true;
}

static bool closes(void *cookie, const uint32_t *edge, uint32_t count)
{
	struct solver *s = cookie;

	if (!first_time(s, hash_cycle(edge, count)))
		return false;
	if (count > LONGEST_CYCLE) {
		s->a->stats->pruned[PRUNE_BUDGET]++;
		return false;
	}
	if (count > s->choice_capacity) {
		free(s->choice);
		s->choice = allocate(count, sizeof(*s->choice));
		s->choice_capacity = count;
	}
	s->path = edge;
	s->length = count;
	return lock_solver_judge(s);
}

static bool extends(void *cookie, const uint32_t *edge, uint32_t count)
{
	struct solver *s = cookie;

	for (uint32_t i = 0; i + 1 < count; i++)
		if (!lock_solver_edges_fit(s, edge[i], edge[count - 1]))
			return false;
	return true;
}

/* Whole components that one thread made, or one gate guards, are common and can be large. */
static bool enters(void *cookie, const uint32_t *edge, uint32_t count)
{
	struct solver *s = cookie;
	uint32_t thread = 0, gates = 0;
	const uint32_t *gate;
	bool several = false, guarded = false;

	for (uint32_t i = 0; i < count && !several; i++) {
		lock_solver_load_edge(s, &s->info[edge[i]]);
		if (!thread)
			thread = s->info[edge[i]].only_thread;
		several = s->info[edge[i]].only_thread == 0 ||
			  s->info[edge[i]].only_thread != thread;
	}
	if (!several) {
		s->a->stats->pruned[PRUNE_ONE_THREAD]++;
		return false;
	}
	gate = model_get_set(s->a->model, s->graph->context[s->info[edge[0]].context[0]].set,
			     &gates);
	for (uint32_t g = 0; g < gates && !guarded; g++) {
		guarded = !MODEL_SET_SHARED(gate[g]);
		for (uint32_t i = 0; i < count && guarded; i++) {
			lock_solver_load_edge(s, &s->info[edge[i]]);
			for (uint32_t k = 0; k < s->info[edge[i]].count && guarded; k++)
				guarded = model_set_has(
					s->a->model,
					s->graph->context[s->info[edge[i]].context[k]].set,
					MODEL_SET_OBJECT(gate[g]));
		}
	}
	if (guarded)
		s->a->stats->pruned[PRUNE_GATE]++;
	return !guarded;
}

/* ---- the search graph ---- */

/* Signalling semaphores are no locks, whatever was thought of them when the edge was made. */
static bool is_usable(const struct solver *s, const struct lock_edge *e)
{
	const struct model_object *from = model_get_object(s->a->model, e->from);
	const struct model_object *to = model_get_object(s->a->model, e->to);

	return e->to != 0 && from && e->from != e->to && model_object_is_lock(from) &&
	       model_object_is_lock(to);
}

static int compare_edges(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y; /* pairs of (from << 32 | to, edge) */

	return *a < *b ? -1 : *a > *b;
}

static void search_cycles(struct solver *s)
{
	struct cycle_graph graph = { 0 };
	struct cycle_visitor visitor = { s, enters, extends, closes };
	uint32_t *from = allocate(s->graph->edge_count, sizeof(*from));
	uint32_t *to = allocate(s->graph->edge_count, sizeof(*to));
	uint64_t *sorted = allocate(2 * (size_t)s->graph->edge_count, sizeof(*sorted));
	uint32_t count = 0;

	/*
	 * Vertex numbers follow first use, which is deterministic; sorted by object so that cycles
	 * start at the oldest.
	 */
	for (uint32_t e = 1; e < s->graph->edge_count; e++) {
		if (!is_usable(s, &s->graph->edge[e]))
			continue;
		sorted[2 * count] = (uint64_t)s->graph->vertex_of[s->graph->edge[e].from] << 32 |
				    s->graph->vertex_of[s->graph->edge[e].to];
		sorted[2 * count++ + 1] = e;
	}
	qsort(sorted, count, 2 * sizeof(*sorted), compare_edges);
	s->info = allocate(count, sizeof(*s->info));
	for (uint32_t i = 0; i < count; i++) {
		from[i] = (uint32_t)(sorted[2 * i] >> 32);
		to[i] = (uint32_t)sorted[2 * i];
		s->info[i].edge = (uint32_t)sorted[2 * i + 1];
	}
	free(sorted);
	graph.node_count = s->graph->vertex_count;
	graph.edge_count = count;
	graph.from = from;
	graph.to = to;
	s->a->stats->pruned[PRUNE_BUDGET] += cycle_search(&graph, &visitor, SEARCH_BUDGET);
	for (uint32_t i = 0; i < count; i++)
		free(s->info[i].context);
	free(s->info);
	free(from);
	free(to);
}

/* ---- the read side taken again (S28) ---- */

static bool find_writer(struct solver *s, uint32_t object, const struct lock_context *reread,
			struct lock_use use, uint32_t *ret_context, struct lock_use *ret_use)
{
	uint32_t e = lock_graph_find_edge(s->graph, LOCK_GRAPH_WRITERS, object);

	for (uint32_t c = e ? s->graph->edge[e].contexts : 0; c; c = s->graph->context[c].next) {
		const struct lock_context *x = &s->graph->context[c];

		for (uint32_t i = 0; i < x->use_count; i++) {
			if (!lock_solver_uses_fit(s, reread, use, x, lock_context_get_uses(x)[i],
						  WITH_ALL))
				continue;
			*ret_context = c;
			*ret_use = lock_context_get_uses(x)[i];
			return true;
		}
	}
	return false;
}

static void judge_reread(struct solver *s, uint32_t object, uint32_t context)
{
	const struct lock_context *c = &s->graph->context[context];
	const struct model_object *o = model_get_object(s->a->model, object);
	uint32_t writer = 0;
	struct lock_use writer_use = { 0, 0 };

	if (o->kind != TRACE_OBJECT_RWLOCK || !(o->flags & MODEL_EVER_WRITTEN))
		return;
	if (analysis_is_observed(s->a, &object, 1))
		return;
	if (!model_object_prefers_writer(o)) {
		/* Works with this kind only: a note for those who port it. */
		lock_report_reread(s->report, context, lock_context_get_uses(c)[0], 0, writer_use);
		return;
	}
	for (uint32_t i = 0; i < c->use_count; i++) {
		if (!find_writer(s, object, c, lock_context_get_uses(c)[i], &writer, &writer_use))
			continue;
		lock_report_reread(s->report, context, lock_context_get_uses(c)[i], writer,
				   writer_use);
		return;
	}
}

static void search_rereads(struct solver *s)
{
	for (uint32_t e = 1; e < s->graph->edge_count; e++) {
		const struct lock_edge *edge = &s->graph->edge[e];

		if (edge->to == 0 || edge->from != edge->to)
			continue;
		for (uint32_t c = edge->contexts; c; c = s->graph->context[c].next)
			if (s->graph->context[c].use_count)
				judge_reread(s, edge->to, c);
	}
}

/* ---- nested waits (S31) ---- */

static bool is_stuck_on(const struct analysis *a, uint32_t cond)
{
	for (size_t i = 0; i < a->process->wait_count; i++)
		if (a->process->waits[i].wait.kind == TRACE_WAIT_COND &&
		    a->process->waits[i].wait.object == cond)
			return true;
	return false;
}

/* Some wait of edge `x` and some signal of edge `y` by different threads that nothing orders. */
static bool find_nested(struct solver *s, const struct lock_edge *x, const struct lock_edge *y,
			struct lock_choice *ret_wait, struct lock_choice *ret_signal)
{
	const struct lock_graph *g = s->order->conds;
	uint32_t work = 0;

	for (uint32_t c = x->contexts; c; c = g->context[c].next)
		for (uint32_t d = y->contexts; d; d = g->context[d].next)
			for (uint32_t u = 0; u < g->context[c].use_count; u++)
				for (uint32_t v = 0;
				     v < g->context[d].use_count && ++work < NESTED_BUDGET; v++) {
					struct lock_use p =
						lock_context_get_uses(&g->context[c])[u];
					struct lock_use q =
						lock_context_get_uses(&g->context[d])[v];

					if (!lock_solver_uses_fit(s, &g->context[c], p,
								  &g->context[d], q, WITH_ALL))
						continue;
					*ret_wait = (struct lock_choice){ 0, c, p };
					*ret_signal = (struct lock_choice){ 0, d, q };
					return true;
				}
	return false;
}

/*
 * A signal without the lock ends the wait all the same. Where most come without it, holding it is
 * an accident and not the way to the signal: the lock of a Python interpreter is handed on by
 * whoever has it, with this or that held.
 */
static bool most_signals_hold(const struct solver *s, const struct model_object *cond,
			      const struct lock_edge *signals, uint32_t waiter)
{
	const struct lock_graph *g = s->order->conds;
	uint64_t total = 0, with_lock = 0;

	for (uint32_t i = 0; cond->detail && i < cond->detail->cond.signallers.count; i++)
		if (cond->detail->cond.signallers.actor[i].last.thread != waiter)
			total += cond->detail->cond.signallers.actor[i].count;
	for (uint32_t c = signals->contexts; c; c = g->context[c].next)
		if (lock_context_get_uses(&g->context[c])[0].thread != waiter)
			with_lock += g->context[c].count;
	return total > 0 && with_lock * 2 >= total;
}

static void search_nested_waits(struct solver *s)
{
	const struct lock_graph *g = s->order->conds;

	for (uint32_t e = 1; e < g->edge_count; e++) {
		const struct model_object *to = model_get_object(s->a->model, g->edge[e].to);
		struct lock_choice wait, signal;
		uint32_t back;

		if (!to || g->edge[e].to == 0 || to->kind != TRACE_OBJECT_COND ||
		    is_stuck_on(s->a, to->id))
			continue;
		back = lock_graph_find_edge(g, g->edge[e].to, g->edge[e].from);
		if (back && find_nested(s, &g->edge[e], &g->edge[back], &wait, &signal) &&
		    most_signals_hold(s, to, &g->edge[back], wait.use.thread))
			lock_report_nested_wait(s->report, &wait, &signal);
	}
}

/* ---- too many edges for one pass ---- */

/* Both kinds of edges, sorted, without doubles. Returns the count. */
static uint32_t merge_edges(const struct lock_order *order, uint64_t *ret_edge)
{
	const struct lock_graph *g = order->graph;
	size_t count = 0;
	uint32_t kept = 0;

	for (uint32_t e = 1; e < g->edge_count; e++)
		if (g->edge[e].to && g->edge[e].from && g->edge[e].from != g->edge[e].to)
			ret_edge[count++] = (uint64_t)g->edge[e].from << 32 | g->edge[e].to;
	for (size_t i = 0; i <= order->lean.mask; i++)
		if (order->lean.slot[i])
			ret_edge[count++] = order->lean.slot[i];
	qsort(ret_edge, count, sizeof(*ret_edge), compare_edges);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || ret_edge[kept - 1] != ret_edge[i])
			ret_edge[kept++] = ret_edge[i];
	return kept;
}

bool lock_order_focus(struct lock_order *order, struct analysis *a)
{
	size_t room = order->graph->edge_count + order->lean.count;
	uint64_t *edge, *focus;
	uint32_t *from, *to, *component, count;
	bool cyclic = false;

	if (order->lean.count == 0 || order->focus || !analysis_wants(a, RULE_LOCK_ORDER_INVERSION))
		return false;
	if (room > UINT32_MAX) {
		a->stats->pruned[PRUNE_BUDGET]++;
		return false;
	}
	edge = allocate(room, sizeof(*edge));
	count = merge_edges(order, edge);
	from = allocate(count, sizeof(*from));
	to = allocate(count, sizeof(*to));
	component = allocate(a->model->object_count, sizeof(*component));
	for (uint32_t i = 0; i < count; i++) {
		from[i] = (uint32_t)(edge[i] >> 32);
		to[i] = (uint32_t)edge[i];
	}
	free(edge);
	cycle_components(&(struct cycle_graph){ (uint32_t)a->model->object_count, count, from, to },
			 component);
	focus = allocate(a->model->object_count / 64 + 1, sizeof(*focus));
	for (uint32_t i = 0; i < count; i++) {
		if (component[from[i]] != component[to[i]])
			continue;
		cyclic = true;
		focus[from[i] / 64] |= UINT64_C(1) << (from[i] % 64);
		focus[to[i] / 64] |= UINT64_C(1) << (to[i] % 64);
	}
	if (cyclic)
		a->again = focus;
	else
		free(focus);
	free(from);
	free(to);
	free(component);
	return cyclic;
}

void lock_order_solve(struct lock_order *order, struct analysis *a)
{
	struct solver *s;

	a->stats->lock_edges += order->graph->edges_ever + order->lean.count;
	a->stats->lock_contexts += order->graph->contexts_ever;
	a->stats->pruned[PRUNE_BUDGET] += order->overflowed;
	if (!analysis_wants(a, RULE_LOCK_ORDER_INVERSION))
		return;
	s = allocate(1, sizeof(*s));
	s->order = order;
	s->graph = order->graph;
	s->a = a;
	s->report = lock_report_new(order, a);
	search_cycles(s);
	search_rereads(s);
	search_nested_waits(s);
	lock_report_free(s->report);
	free(s->seen);
	free(s->choice);
	free(s);
}
