/* SPDX-License-Identifier: MIT */
/*
 * wait_knots.c - components of what is stuck, which are roots, and who is behind whom.
 */
#include "wait_knots.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* Blocked threads that cannot go on, and targets on the same terms. */
static uint8_t *stuck_nodes(const struct wait_world *w, bool closed)
{
	const uint8_t *can = closed ? w->can_closed : w->can;
	uint8_t *within = allocate(w->graph.nodes, 1);

	for (uint32_t n = 1; n < w->graph.nodes; n++)
		within[n] = !can[n] &&
			    (!wait_node_is_thread(w, n) || w->party[n].status == WAIT_BLOCKED);
	return within;
}

static void count_member(const struct wait_world *w, struct wait_knot *knot, uint32_t node)
{
	knot->count++;
	if (wait_node_is_thread(w, node))
		knot->threads++;
	else if (wait_world_get_target(w, node)->side == WAIT_SIDE_OPEN)
		knot->open_targets++;
	else
		knot->hard_targets++;
}

static void list_members(const struct wait_world *w, struct wait_knots *k)
{
	uint32_t next = 0;

	for (uint32_t n = 0; n < w->graph.nodes; n++)
		if (k->component[n] != WAIT_NO_COMPONENT)
			count_member(w, &k->knot[k->component[n]], n);
	for (uint32_t i = 0; i < k->count; i++) {
		k->knot[i].first = next;
		next += k->knot[i].count;
		k->knot[i].count = 0;
	}
	k->member = allocate(next, sizeof(*k->member));
	for (uint32_t n = 0; n < w->graph.nodes; n++) {
		struct wait_knot *knot;

		if (k->component[n] == WAIT_NO_COMPONENT)
			continue;
		knot = &k->knot[k->component[n]];
		k->member[knot->first + knot->count++] = n;
	}
}

static void find_roots(struct wait_world *w, struct wait_knots *k)
{
	for (uint32_t i = 0; i < k->count; i++)
		k->knot[i].root = true;
	for (uint32_t n = 0; n < w->graph.nodes; n++) {
		size_t count;
		const uint32_t *out = wait_graph_get_out(&w->graph, n, &count);

		for (size_t i = 0; k->component[n] != WAIT_NO_COMPONENT && i < count; i++)
			if (k->component[out[i]] != WAIT_NO_COMPONENT &&
			    k->component[out[i]] != k->component[n])
				k->knot[k->component[n]].root = false;
	}
}

static struct wait_knots *build(struct wait_world *w, bool closed)
{
	struct wait_knots *k = allocate(1, sizeof(*k));
	uint8_t *within = stuck_nodes(w, closed);

	k->component = allocate(w->graph.nodes, sizeof(*k->component));
	k->count = wait_graph_components(&w->graph, within, k->component);
	k->knot = allocate(k->count, sizeof(*k->knot));
	list_members(w, k);
	find_roots(w, k);
	free(within);
	return k;
}

void wait_knots_free(struct wait_knots *k)
{
	if (!k)
		return;
	free(k->component);
	free(k->member);
	free(k->knot);
	free(k);
}

/* ---- waiting for a giver that never came so far ---- */

struct giver_count {
	const struct wait_world *w;
	uint32_t alive, gone;
};

static void count_giver(void *cookie, uint32_t thread)
{
	struct giver_count *c = cookie;

	if (thread < c->w->thread_count && c->w->party[thread].status >= WAIT_RUNNING)
		c->alive++;
	else
		c->gone++;
}

/*
 * Does the open target lack a better explanation? A signal that found no waiter, or givers that are
 * all gone, are reasons of their own.
 */
static bool giver_may_be_new(const struct wait_world *w, const struct wait_target *t)
{
	const struct model_object *o = model_get_object(w->model, t->object);
	struct giver_count givers = { .w = w };

	if (o->kind == TRACE_OBJECT_COND && o->detail) {
		const struct model_cond *c = &o->detail->cond;

		if (c->last_signal.thread && c->last_unheard.thread &&
		    c->last_unheard.time_ns == c->last_signal.time_ns)
			return false;
	}
	wait_world_visit_givers(w, t->object, count_giver, &givers);
	return givers.alive > 0 || givers.gone == 0;
}

/*
 * The open target that `thread` waits at, where that is a root without locks and lacks an
 * explanation; 0 = none.
 */
static uint32_t unexplained_wait(const struct wait_world *w, const struct wait_knots *k,
				 uint32_t thread)
{
	uint32_t node = w->party[thread].status == WAIT_BLOCKED ? w->party[thread].target : 0;

	if (!node || wait_node_is_thread(w, node) ||
	    wait_world_get_target(w, node)->side != WAIT_SIDE_OPEN)
		return 0;
	return k->knot[k->component[node]].root && k->knot[k->component[node]].hard_targets == 0
		       ? node
		       : 0;
}

struct edge_list {
	struct wait_edge *edge; /* owned */
	size_t count, capacity;
};

static void append_edge(struct edge_list *list, uint32_t from, uint32_t to)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 16;
		list->edge = reallocarray(list->edge, list->capacity, sizeof(*list->edge));
		if (!list->edge)
			abort();
	}
	list->edge[list->count++] = (struct wait_edge){ .from = from, .to = to };
}

/* What only one process can reach nobody of another one gives. */
static bool can_reach(const struct wait_world *w, uint32_t thread, uint32_t open)
{
	return !w->run || wait_world_crosses(w, open) ||
	       run_process_of_thread(w->run, thread) ==
		       run_process_of_object(w->run, wait_world_get_target(w, open)->object);
}

/* Those blocked at hard target `node` count as givers of `open`. */
static void add_needy(struct wait_world *w, uint32_t node, uint32_t open, struct edge_list *list)
{
	size_t count;
	const uint32_t *in = wait_graph_get_in(&w->graph, node, &count);

	for (size_t i = 0; i < count; i++)
		if (w->party[in[i]].status == WAIT_BLOCKED && w->party[in[i]].target == node &&
		    can_reach(w, in[i], open))
			append_edge(list, open, in[i]);
}

/*
 * Nested monitor: W waits on a condvar while it holds lock L, and B is blocked on L. Nothing
 * recorded says that B would signal: it never got that far. But B is blocked because of W, and
 * there is no better explanation, so B counts as giver. Returns true when an edge was added.
 */
static bool add_needy_givers(struct wait_world *w, const struct wait_knots *k)
{
	struct edge_list list = { NULL, 0, 0 };
	uint32_t *done =
		allocate(w->graph.nodes,
			 sizeof(*done)); /* open target -> hard target it was last paired with */
	bool any;

	for (uint32_t t = 0; t < w->target_count; t++) {
		uint32_t node = w->thread_count + t;
		const uint32_t *out;
		size_t outs;

		if (w->target[t].side == WAIT_SIDE_OPEN || !w->target[t].waiters)
			continue;
		out = wait_graph_get_out(&w->graph, node, &outs);
		for (size_t i = 0; i < outs; i++) {
			uint32_t open = unexplained_wait(w, k, out[i]);

			if (!open || done[open] == node)
				continue;
			done[open] = node;
			if (giver_may_be_new(w, wait_world_get_target(w, open)))
				add_needy(w, node, open, &list);
		}
	}
	for (size_t i = 0; i < list.count; i++)
		wait_graph_add_edge(&w->graph, list.edge[i].from, list.edge[i].to);
	any = list.count > 0;
	free(list.edge);
	free(done);
	return any;
}

struct wait_knots *wait_knots_new(struct wait_world *w, bool closed)
{
	struct wait_knots *k = build(w, closed);

	if (closed && add_needy_givers(w, k)) {
		wait_knots_free(k);
		k = build(w, closed);
	}
	return k;
}

uint32_t *wait_knots_behind(struct wait_world *w, const struct wait_knots *k, const uint8_t *marked)
{
	uint32_t *behind = allocate(w->graph.nodes, sizeof(*behind));
	uint32_t *queue = allocate(w->graph.nodes, sizeof(*queue));
	uint32_t head = 0, tail = 0;

	for (uint32_t n = 0; n < w->graph.nodes; n++) {
		behind[n] = WAIT_NO_COMPONENT;
		if (k->component[n] == WAIT_NO_COMPONENT || !marked[k->component[n]])
			continue;
		behind[n] = k->component[n];
		queue[tail++] = n;
	}
	while (head < tail) {
		uint32_t node = queue[head++];
		size_t count;
		const uint32_t *in = wait_graph_get_in(&w->graph, node, &count);

		for (size_t i = 0; i < count; i++) {
			if (k->component[in[i]] == WAIT_NO_COMPONENT ||
			    behind[in[i]] != WAIT_NO_COMPONENT)
				continue;
			behind[in[i]] = behind[node];
			queue[tail++] = in[i];
		}
	}
	free(queue);
	return behind;
}
