/* SPDX-License-Identifier: MIT */
/*
 * order_graph.c - see order_graph.h.
 */
#include "order_graph.h"

#include "../analyzer/cycle.h"

#include <stdlib.h>
#include <string.h>

void order_graph_release(struct order_graph *graph)
{
	free(graph->edge);
	free(graph->slot);
	*graph = (struct order_graph){ 0 };
}

/* ---- the table of pairs ---- */

static uint32_t hash_of(uint32_t from, uint32_t to)
{
	uint64_t x = ((uint64_t)from << 32 | to) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(x >> 32);
}

static uint32_t *find_slot(const struct order_graph *g, uint32_t from, uint32_t to)
{
	uint32_t at = hash_of(from, to) & (g->slots - 1);

	while (g->slot[at] &&
	       (g->edge[g->slot[at] - 1].from != from || g->edge[g->slot[at] - 1].to != to))
		at = (at + 1) & (g->slots - 1);
	return &g->slot[at];
}

static bool grow(struct order_graph *g)
{
	uint32_t capacity = g->capacity ? g->capacity * 2 : 64;
	struct order_edge *edge;
	uint32_t *slot;

	if (g->count < g->capacity)
		return true;
	edge = realloc(g->edge, capacity * sizeof(*edge));
	if (!edge)
		return false;
	g->edge = edge;
	slot = calloc(2 * (size_t)capacity, sizeof(*slot));
	if (!slot)
		return false;
	free(g->slot);
	g->slot = slot;
	g->slots = 2 * capacity;
	g->capacity = capacity;
	for (uint32_t i = 0; i < g->count; i++)
		*find_slot(g, edge[i].from, edge[i].to) = i + 1;
	return true;
}

static bool add(struct order_graph *g, const struct order_edge *fact)
{
	struct order_edge *e;
	uint32_t *slot;

	if (!grow(g))
		return false;
	slot = find_slot(g, fact->from, fact->to);
	if (!*slot && g->count == ORDER_MOST_EDGES) {
		g->left_out++;
		return true;
	}
	if (!*slot) {
		g->edge[g->count++] = *fact;
		*slot = g->count;
	}
	e = &g->edge[*slot - 1];
	e->count++;
	e->last_ns = fact->first_ns;
	e->only_tries &= fact->only_tries;
	e->only_reads &= fact->only_reads;
	if (e->thread != fact->thread)
		e->thread = ORDER_MANY_THREADS;
	return true;
}

/* ---- events ---- */

struct asking {
	uint32_t object, stack;
	uint64_t time_ns;
	bool tries, reads;
};

static bool add_request(struct order_graph *g, const struct model_thread *t,
			const struct asking *asking)
{
	for (uint32_t i = 0; i < t->held_count; i++) {
		const struct model_held *h = &t->held[i];
		struct order_edge fact = {
			.from = h->object,
			.to = asking->object,
			.thread = t->id,
			.first_thread = t->id,
			.hold_stack = h->stack,
			.request_stack = asking->stack,
			.first_ns = asking->time_ns,
			.only_tries = asking->tries,
			.only_reads = asking->reads && (h->flags & MODEL_HOLD_SHARED),
			.cycle = ORDER_NO_CYCLE,
		};

		if (h->object != asking->object && !add(g, &fact))
			return false;
	}
	return true;
}

static bool on_event(void *state, const struct scan *scan, const struct trace_event *event,
		     const struct model_step *step)
{
	struct model_thread *t = step->thread;
	struct asking asking = { .object = event->object,
				 .stack = event->stack,
				 .time_ns = event->time_ns };

	(void)scan;
	if (!t->held_count)
		return true;
	if (event->op == TRACE_COND_WAIT) { /* it will want its mutex back */
		asking.object = event->other;
		return !step->other || add_request(state, t, &asking);
	}
	if (!step->object || !model_object_is_lock(step->object))
		return true;
	if (event->op == TRACE_REQUEST) {
		asking.reads = event->arg & TRACE_MODE_SHARED;
		asking.tries = event->arg & TRACE_MODE_TRY;
		return add_request(state, t, &asking);
	}
	/* The request made the edges; a condition's wait made those of taking its mutex back. */
	if (!(step->flags & MODEL_STEP_HOLD) || (step->flags & MODEL_STEP_REQUESTED) ||
	    t->held_count < 2 || event->op == TRACE_COND_WAKE || event->op == TRACE_HELD)
		return true;
	asking.reads = t->held[t->held_count - 1].flags & MODEL_HOLD_SHARED;
	asking.tries = t->held[t->held_count - 1].flags & MODEL_HOLD_TRY;
	return add_request(state, t, &asking);
}

/* ---- cycles ---- */

static int compare_edges(const void *x, const void *y)
{
	const struct order_edge *a = x, *b = y;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

/* Components of more than one lock are numbered in the order of their first edge. */
static void number_cycles(struct order_graph *g, const uint32_t *component, uint32_t *number)
{
	for (uint32_t i = 0; i < g->count; i++) {
		struct order_edge *e = &g->edge[i];

		if (component[e->from] != component[e->to])
			continue;
		if (!number[component[e->from]])
			number[component[e->from]] = ++g->cycles;
		e->cycle = number[component[e->from]] - 1;
	}
}

static bool find_cycles(struct order_graph *g, uint32_t nodes)
{
	uint32_t *from = calloc(g->count + 1, sizeof(*from)),
		 *to = calloc(g->count + 1, sizeof(*to)),
		 *component = calloc(nodes + 1, sizeof(*component)),
		 *number = calloc(nodes + 1, sizeof(*number));
	struct cycle_graph graph = {
		.node_count = nodes, .edge_count = g->count, .from = from, .to = to
	};
	bool ok = from && to && component && number;

	for (uint32_t i = 0; ok && i < g->count; i++) {
		from[i] = g->edge[i].from;
		to[i] = g->edge[i].to;
	}
	if (ok && g->count) {
		cycle_components(&graph, component);
		number_cycles(g, component, number);
	}
	free(from);
	free(to);
	free(component);
	free(number);
	return ok;
}

static bool on_begin(void *state, const struct scan *scan)
{
	(void)scan;
	order_graph_release(state);
	return true;
}

static bool on_end(void *state, const struct scan *scan)
{
	struct order_graph *g = state;

	if (g->count)
		qsort(g->edge, g->count, sizeof(*g->edge), compare_edges);
	return find_cycles(g, (uint32_t)scan->model->object_count);
}

struct scan_part order_graph_part(struct order_graph *graph)
{
	return (struct scan_part){
		.state = graph, .begin = on_begin, .event = on_event, .end = on_end
	};
}
