/* SPDX-License-Identifier: MIT */
/*
 * model_order.c - the order that create, join and barriers give in every schedule, as a graph of
 * thread segments.
 *
 * A node is a stretch of one thread, or one generation of a barrier (thread 0). Program order is
 * `previous`; the rest are cross edges. Ids grow along every edge, so a search from b never looks
 * below a.
 *
 * Nodes cost memory, so they are made lazily. The present stretch of a thread is a node only once
 * somebody pinned it or an edge touches it:
 *
 *   pinned   a context refers to it: nothing may be ordered before it any more (a new edge in makes
 *            a new node)
 *   left     an edge goes out of it: nothing may be pinned in it any more (the next pin makes a new
 *            node)
 *
 * A loop over a barrier in which nothing is pinned adds no nodes at all (model_order_barrier).
 * Locks, condition variables and semaphores give no edges: they order by accident of the schedule.
 */
#include "model_internal.h"

struct node {
	uint32_t thread;   /* 0 = barrier generation */
	uint32_t previous; /* same thread, 0 = first */
	uint32_t edges;	   /* head of the list of edges in, 0 = none */
};

struct edge {
	uint32_t from;
	uint32_t next;
};

/* Ancestors of recent targets: one search serves all questions about the same target. */
#define CACHE_WAYS 64u
struct ancestors {
	uint32_t target; /* 0 = free */
	bool without_barriers;
	uint64_t *bits;	   /* owned; target bits */
	uint32_t capacity; /* words */
	uint64_t used;
};

struct model_order {
	struct node *node; /* owned; entry 0 unused */
	uint32_t node_count, node_capacity;
	struct edge *edge; /* owned; entry 0 unused */
	uint32_t edge_count, edge_capacity;
	struct ancestors cache[CACHE_WAYS];
	uint64_t clock;
	uint32_t *stack; /* owned; of the search */
	uint32_t stack_capacity;
};

struct model_order *model_order_new(void)
{
	struct model_order *order = model_allocate(1, sizeof(*order));

	order->node_count = order->edge_count = 1;
	return order;
}

void model_order_free(struct model_order *order)
{
	for (size_t i = 0; i < CACHE_WAYS; i++)
		free(order->cache[i].bits);
	free(order->node);
	free(order->edge);
	free(order->stack);
	free(order);
}

static uint32_t add_node(struct model_order *order, uint32_t thread, uint32_t previous)
{
	order->node = model_grow(order->node, &order->node_capacity, order->node_count + 1,
				 sizeof(*order->node));
	order->node[order->node_count] = (struct node){ thread, previous, 0 };
	return order->node_count++;
}

static void add_edge(struct model_order *order, uint32_t from, uint32_t to)
{
	order->edge = model_grow(order->edge, &order->edge_capacity, order->edge_count + 1,
				 sizeof(*order->edge));
	order->edge[order->edge_count] = (struct edge){ from, order->node[to].edges };
	order->node[to].edges = order->edge_count++;
}

uint32_t model_pin_segment(struct model *m, struct model_thread *t)
{
	if (t->segment == 0 || t->segment_left) {
		t->segment = add_node(m->order, t->id, t->segment);
		t->segment_left = false;
	}
	t->segment_pinned = true;
	return t->segment;
}

uint32_t model_order_leave(struct model *m, struct model_thread *t)
{
	if (t->segment == 0)
		t->segment = add_node(m->order, t->id, 0);
	t->segment_left = true;
	t->epoch++;
	return t->segment;
}

void model_order_enter(struct model *m, struct model_thread *t, uint32_t from)
{
	t->segment = add_node(m->order, t->id, t->segment);
	t->segment_pinned = t->segment_left = false;
	t->epoch++;
	add_edge(m->order, from, t->segment);
}

/* Nothing happened in this stretch since the thread came out of the barrier's last generation. */
static bool is_idle_since(const struct model_order *order, const struct model_thread *t,
			  uint32_t generation)
{
	const struct node *node = &order->node[t->segment];

	return t->segment && !t->segment_pinned && !t->segment_left && node->edges &&
	       order->edge[node->edges].from == generation && order->edge[node->edges].next == 0;
}

void model_order_barrier(struct model *m, struct model_barrier *b)
{
	bool idle = b->node != 0 && b->leaving == 0 && b->count == b->arrival_count;

	for (uint32_t i = 0; idle && i < b->arrival_count; i++) {
		struct model_thread *t = model_get_thread(m, b->arrival[i].site.thread);

		idle = is_idle_since(m->order, t, b->node);
	}
	if (idle)
		return;
	/* All edges in before the node exists: ids must grow along them. */
	for (uint32_t i = 0; i < b->arrival_count; i++)
		model_order_leave(m, model_get_thread(m, b->arrival[i].site.thread));
	b->node = add_node(m->order, 0, 0);
	for (uint32_t i = 0; i < b->arrival_count; i++) {
		struct model_thread *t = model_get_thread(m, b->arrival[i].site.thread);

		add_edge(m->order, t->segment, b->node);
		model_order_enter(m, t, b->node);
	}
}

/* Its arrival is seen after others left: it still comes after the generation. */
void model_order_late(struct model *m, struct model_barrier *b, struct model_thread *t)
{
	model_order_leave(m, t);
	if (t->segment < b->node)
		add_edge(m->order, t->segment, b->node);
	model_order_enter(m, t, b->node);
}

/* ---- questions ---- */

static void visit(struct model_order *order, struct ancestors *a, uint32_t *depth, uint32_t node)
{
	if (node == 0 || (a->bits[node / 64] >> (node % 64) & 1))
		return;
	a->bits[node / 64] |= UINT64_C(1) << (node % 64);
	order->stack =
		model_grow(order->stack, &order->stack_capacity, *depth + 1, sizeof(*order->stack));
	order->stack[(*depth)++] = node;
}

static void search(struct model_order *order, struct ancestors *a)
{
	uint32_t words = a->target / 64 + 1, depth = 0;

	a->bits = model_grow(a->bits, &a->capacity, words, sizeof(*a->bits));
	memset(a->bits, 0, words * sizeof(*a->bits));
	visit(order, a, &depth, a->target);
	while (depth) {
		uint32_t at = order->stack[--depth];

		visit(order, a, &depth, order->node[at].previous);
		for (uint32_t e = order->node[at].edges; e; e = order->edge[e].next)
			if (!a->without_barriers || order->node[order->edge[e].from].thread != 0)
				visit(order, a, &depth, order->edge[e].from);
	}
}

static const struct ancestors *find_ancestors(struct model_order *order, uint32_t target,
					      bool without_barriers)
{
	struct ancestors *oldest = &order->cache[0];

	order->clock++;
	for (size_t i = 0; i < CACHE_WAYS; i++) {
		struct ancestors *a = &order->cache[i];

		if (a->target == target && a->without_barriers == without_barriers) {
			a->used = order->clock;
			return a;
		}
		if (a->used < oldest->used)
			oldest = a;
	}
	oldest->target = target;
	oldest->without_barriers = without_barriers;
	oldest->used = order->clock;
	search(order, oldest);
	return oldest;
}

static bool reaches(struct model *m, uint32_t a, uint32_t b, bool without_barriers)
{
	struct model_order *order = m->order;
	const struct ancestors *of_b;

	if (a == 0 || a >= b || b >= order->node_count)
		return false;
	if (order->node[a].thread == order->node[b].thread)
		return true; /* ids grow along program order */
	/*
	 * An edge into an old node can come later (model_order_late): answers are for the end, when
	 * none do.
	 */
	of_b = find_ancestors(order, b, without_barriers);
	return of_b->bits[a / 64] >> (a % 64) & 1;
}

bool model_is_before(struct model *m, uint32_t a, uint32_t b)
{
	return reaches(m, a, b, false);
}

bool model_is_before_by_barrier(struct model *m, uint32_t a, uint32_t b)
{
	return reaches(m, a, b, false) && !reaches(m, a, b, true);
}

uint32_t model_first_segment(const struct model *m, const struct model_thread *t)
{
	uint32_t at = t->segment;

	while (at && m->order->node[at].previous)
		at = m->order->node[at].previous;
	return at;
}

uint32_t model_segment_thread(const struct model *m, uint32_t segment)
{
	return segment < m->order->node_count ? m->order->node[segment].thread : 0;
}
