/* SPDX-License-Identifier: MIT */
/*
 * ring.c - finds the longest simple cycle among a finding's few threads and locks.
 *
 * The checkers list the parts of one cycle, so nearly every path is forced; side branches come from
 * locks that several readers hold and from held sets with locks beside the cycle. The budget bounds
 * what a strange finding can cost.
 */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

#define STEP_BUDGET 20000

struct edge {
	struct ring_node from, to;
	enum ring_edge_kind kind;
	const struct finding_stack *stack;
};

struct search {
	struct edge *edges; /* owns */
	size_t count, capacity;
	const struct edge *path[RING_MAX_NODES];
	size_t length;
	const struct edge *best[RING_MAX_NODES];
	size_t best_length;
	unsigned steps;
};

static struct ring_node thread_node(uint32_t id)
{
	return (struct ring_node){ .is_thread = true, .id = id };
}

static struct ring_node lock_node(uint32_t id)
{
	return (struct ring_node){ .id = id };
}

static bool is_same(const struct ring_node *a, const struct ring_node *b)
{
	return a->is_thread == b->is_thread && a->id == b->id;
}

static void add_edge(struct search *s, struct ring_node from, struct ring_node to,
		     enum ring_edge_kind kind, const struct finding_stack *stack)
{
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 16;
		struct edge *edges = reallocarray(s->edges, capacity, sizeof(*edges));

		if (!edges)
			return; /* a picture less */
		s->edges = edges;
		s->capacity = capacity;
	}
	s->edges[s->count++] =
		(struct edge){ .from = from, .to = to, .kind = kind, .stack = stack };
}

static void add_wait_edges(struct search *s, const struct finding_stack *stack)
{
	struct ring_node waiter = thread_node(stack->thread);
	struct ring_node lock = lock_node(stack->lock);

	if (stack->role == ROLE_HOLDS && stack->lock) {
		add_edge(s, lock, waiter, RING_HELD_BY, stack);
		return;
	}
	if (stack->role != ROLE_WAITS)
		return;
	if (stack->lock)
		add_edge(s, waiter, lock, RING_WAITS_FOR, stack);
	if (stack->for_thread)
		add_edge(s, stack->lock ? lock : waiter, thread_node(stack->for_thread),
			 stack->lock ? RING_EXPECTS : RING_WAITS_FOR, stack);
}

static void add_order_edges(struct search *s, const struct finding_stack *stack)
{
	if (stack->role != ROLE_ACQUIRES || !stack->lock)
		return;
	for (size_t i = 0; i < stack->held_count; i++)
		if (stack->held[i] != stack->lock)
			add_edge(s, lock_node(stack->held[i]), lock_node(stack->lock), RING_THEN,
				 stack);
}

static bool is_on_path(const struct search *s, const struct ring_node *node)
{
	for (size_t i = 0; i < s->length; i++)
		if (is_same(&s->path[i]->from, node))
			return true;
	return false;
}

/* One acquire tells one edge of an order ring, however many locks were held at it. */
static bool is_stack_on_path(const struct search *s, const struct edge *edge)
{
	for (size_t i = 0; i < s->length; i++)
		if (edge->kind == RING_THEN && s->path[i]->stack == edge->stack)
			return true;
	return false;
}

static void keep_if_longer(struct search *s)
{
	if (s->length <= s->best_length)
		return;
	memcpy(s->best, s->path, s->length * sizeof(s->path[0]));
	s->best_length = s->length;
}

static void walk(struct search *s, const struct ring_node *start, const struct ring_node *at)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct edge *edge = &s->edges[i];

		if (!is_same(&edge->from, at) || is_stack_on_path(s, edge))
			continue;
		if (s->length == RING_MAX_NODES || ++s->steps > STEP_BUDGET)
			return;
		s->path[s->length++] = edge;
		if (is_same(&edge->to, start))
			keep_if_longer(s);
		else if (!is_on_path(s, &edge->to))
			walk(s, start, &edge->to);
		s->length--;
	}
}

/*
 * Every cycle through the first edge's start is tried first, so the ring begins where the checker's
 * list does.
 */
static void search_all(struct search *s)
{
	for (size_t i = 0; i < s->count && !s->best_length; i++)
		walk(s, &s->edges[i].from, &s->edges[i].from);
}

static bool has_waits(const struct finding *f)
{
	for (size_t i = 0; i < f->stack_count; i++)
		if (f->stacks[i].role == ROLE_WAITS)
			return true;
	return false;
}

void ring_build(struct ring *ring, const struct finding *f)
{
	struct search s = { 0 };
	bool waits = has_waits(f);

	/* Waits first: a ring of waits should begin with a thread. */
	for (size_t i = 0; i < f->stack_count; i++)
		if (waits && f->stacks[i].role == ROLE_WAITS)
			add_wait_edges(&s, &f->stacks[i]);
	for (size_t i = 0; i < f->stack_count; i++) {
		if (waits && f->stacks[i].role == ROLE_HOLDS)
			add_wait_edges(&s, &f->stacks[i]);
		else if (!waits)
			add_order_edges(&s, &f->stacks[i]);
	}
	search_all(&s);
	ring->count = s.best_length;
	for (size_t i = 0; i < s.best_length; i++) {
		ring->node[i] = s.best[i]->from;
		ring->node[i].edge = s.best[i]->kind;
		ring->node[i].stack = s.best[i]->stack;
	}
	free(s.edges);
}

const struct finding_stack *finding_next_holder(const struct finding *f, uint32_t lock,
						uint32_t but, size_t *index)
{
	while (*index < f->stack_count) {
		const struct finding_stack *stack = &f->stacks[(*index)++];

		if (stack->role == ROLE_HOLDS && lock && stack->lock == lock &&
		    stack->thread != but)
			return stack;
	}
	return NULL;
}
