/* SPDX-License-Identifier: MIT */
/*
 * wait_graph.c - fixpoint, components and cycles of an AND/OR graph. Must not know what a node
 * stands for.
 */
#include "wait_graph.h"

#include <stdlib.h>
#include <string.h>

#define NO_NODE UINT32_MAX

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

void wait_graph_init(struct wait_graph *g, uint32_t nodes)
{
	memset(g, 0, sizeof(*g));
	g->nodes = nodes;
	g->node_capacity = nodes ? nodes : 1;
	g->state = allocate(g->node_capacity, 1);
}

static void drop_index(struct wait_graph *g)
{
	free(g->out_start);
	free(g->in_start);
	free(g->out);
	free(g->in);
	g->out_start = g->in_start = NULL;
	g->out = g->in = NULL;
	g->indexed = false;
}

void wait_graph_release(struct wait_graph *g)
{
	drop_index(g);
	free(g->state);
	free(g->edges);
	memset(g, 0, sizeof(*g));
}

uint32_t wait_graph_add_node(struct wait_graph *g, enum wait_node_state state)
{
	if (g->indexed)
		drop_index(g);
	if (g->nodes == g->node_capacity) {
		uint32_t capacity = 2 * g->node_capacity;
		uint8_t *bigger = realloc(g->state, capacity);

		if (!bigger || capacity < g->node_capacity)
			abort();
		g->state = bigger;
		g->node_capacity = capacity;
	}
	g->state[g->nodes] = (uint8_t)state;
	return g->nodes++;
}

void wait_graph_set_state(struct wait_graph *g, uint32_t node, enum wait_node_state state)
{
	g->state[node] = (uint8_t)state;
}

void wait_graph_add_edge(struct wait_graph *g, uint32_t from, uint32_t to)
{
	if (g->indexed)
		drop_index(g);
	if (g->edge_count == g->edge_capacity) {
		size_t capacity = g->edge_capacity ? 2 * g->edge_capacity : 64;
		struct wait_edge *bigger = reallocarray(g->edges, capacity, sizeof(*bigger));

		if (!bigger)
			abort();
		g->edges = bigger;
		g->edge_capacity = capacity;
	}
	g->edges[g->edge_count++] = (struct wait_edge){ .from = from, .to = to };
}

/* Counting sort by one end; keeps the order of the calls, so answers are reproducible. */
static void index_edges(const struct wait_graph *g, bool by_source, size_t **ret_start,
			uint32_t **ret_other)
{
	size_t *start = allocate((size_t)g->nodes + 2, sizeof(*start));
	uint32_t *other = allocate(g->edge_count, sizeof(*other));

	/*
	 * start[n + 1] counts, then is the place of the next edge of n, and ends as the start of n
	 * + 1.
	 */
	for (size_t i = 0; i < g->edge_count; i++)
		start[(by_source ? g->edges[i].from : g->edges[i].to) + 2]++;
	for (size_t n = 1; n <= g->nodes; n++)
		start[n + 1] += start[n];
	for (size_t i = 0; i < g->edge_count; i++) {
		const struct wait_edge *e = &g->edges[i];

		other[start[(by_source ? e->from : e->to) + 1]++] = by_source ? e->to : e->from;
	}
	*ret_start = start;
	*ret_other = other;
}

static void make_index(struct wait_graph *g)
{
	if (g->indexed)
		return;
	index_edges(g, true, &g->out_start, &g->out);
	index_edges(g, false, &g->in_start, &g->in);
	g->indexed = true;
}

const uint32_t *wait_graph_get_out(struct wait_graph *g, uint32_t node, size_t *ret_count)
{
	make_index(g);
	*ret_count = g->out_start[node + 1] - g->out_start[node];
	return g->out + g->out_start[node];
}

const uint32_t *wait_graph_get_in(struct wait_graph *g, uint32_t node, size_t *ret_count)
{
	make_index(g);
	*ret_count = g->in_start[node + 1] - g->in_start[node];
	return g->in + g->in_start[node];
}

/* ---- what can run ---- */

static bool runs_at_once(const struct wait_graph *g, uint32_t node)
{
	return g->state[node] == WAIT_NODE_RUNS ||
	       (g->state[node] == WAIT_NODE_ALL && g->out_start[node] == g->out_start[node + 1]);
}

/* True when `node` can go on now that one more of what it waits for can. */
static bool one_more(const struct wait_graph *g, uint32_t node, size_t *missing)
{
	if (g->state[node] == WAIT_NODE_ANY)
		return true;
	return g->state[node] == WAIT_NODE_ALL && --missing[node] == 0;
}

void wait_graph_solve(struct wait_graph *g, uint8_t *ret_can)
{
	uint32_t *queue = allocate(g->nodes, sizeof(*queue));
	size_t *missing = allocate(g->nodes, sizeof(*missing));
	uint32_t head = 0, tail = 0;

	make_index(g);
	memset(ret_can, 0, g->nodes);
	for (uint32_t n = 0; n < g->nodes; n++) {
		missing[n] = g->out_start[n + 1] - g->out_start[n];
		if (runs_at_once(g, n)) {
			ret_can[n] = 1;
			queue[tail++] = n;
		}
	}
	while (head < tail) {
		uint32_t done = queue[head++];

		for (size_t i = g->in_start[done]; i < g->in_start[done + 1]; i++) {
			uint32_t n = g->in[i];

			if (!ret_can[n] && one_more(g, n, missing)) {
				ret_can[n] = 1;
				queue[tail++] = n;
			}
		}
	}
	free(queue);
	free(missing);
}

/* ---- components: Tarjan's algorithm with an explicit stack ---- */

struct tarjan {
	struct wait_graph *g;
	const uint8_t *within;
	uint32_t *component;
	uint32_t *number, *low; /* 0 = not visited */
	size_t *next;		/* edge to look at when the node is on top again */
	uint32_t *call, calls;	/* path of the search */
	uint32_t *open, opens;	/* visited, component not known yet */
	uint32_t visited, components;
};

static void enter(struct tarjan *t, uint32_t node)
{
	t->number[node] = t->low[node] = ++t->visited;
	t->next[node] = t->g->out_start[node];
	t->call[t->calls++] = node;
	t->open[t->opens++] = node;
}

static void leave(struct tarjan *t, uint32_t node)
{
	uint32_t member;

	t->calls--;
	if (t->calls && t->low[node] < t->low[t->call[t->calls - 1]])
		t->low[t->call[t->calls - 1]] = t->low[node];
	if (t->low[node] != t->number[node])
		return;
	do {
		member = t->open[--t->opens];
		t->component[member] = t->components;
	} while (member != node);
	t->components++;
}

static void search(struct tarjan *t, uint32_t root)
{
	enter(t, root);
	while (t->calls) {
		uint32_t node = t->call[t->calls - 1];
		uint32_t to;

		if (t->next[node] == t->g->out_start[node + 1]) {
			leave(t, node);
			continue;
		}
		to = t->g->out[t->next[node]++];
		if (!t->within[to])
			continue;
		if (!t->number[to])
			enter(t, to);
		else if (t->component[to] == WAIT_NO_COMPONENT && t->number[to] < t->low[node])
			t->low[node] = t->number[to];
	}
}

uint32_t wait_graph_components(struct wait_graph *g, const uint8_t *within, uint32_t *ret_component)
{
	struct tarjan t = { .g = g, .within = within, .component = ret_component };

	make_index(g);
	t.number = allocate(g->nodes, sizeof(uint32_t));
	t.low = allocate(g->nodes, sizeof(uint32_t));
	t.next = allocate(g->nodes, sizeof(size_t));
	t.call = allocate(g->nodes, sizeof(uint32_t));
	t.open = allocate(g->nodes, sizeof(uint32_t));
	for (uint32_t n = 0; n < g->nodes; n++)
		ret_component[n] = WAIT_NO_COMPONENT;
	for (uint32_t n = 0; n < g->nodes; n++)
		if (within[n] && !t.number[n])
			search(&t, n);
	free(t.number);
	free(t.low);
	free(t.next);
	free(t.call);
	free(t.open);
	return t.components;
}

/* ---- cycles and reach ---- */

static uint32_t write_path(const uint32_t *parent, uint32_t start, uint32_t last,
			   uint32_t *ret_path)
{
	uint32_t length = 0;

	for (uint32_t n = last; n != start; n = parent[n])
		length++;
	for (uint32_t n = last, i = length; n != start; n = parent[n])
		ret_path[i--] = n;
	ret_path[0] = start;
	return length + 1;
}

uint32_t wait_graph_find_cycle(struct wait_graph *g, const uint32_t *component, uint32_t start,
			       uint32_t *ret_path)
{
	uint32_t *queue, *parent;
	uint32_t head = 0, tail = 0, length = 0;

	if (component[start] == WAIT_NO_COMPONENT)
		return 0;
	make_index(g);
	queue = allocate(g->nodes, sizeof(*queue));
	parent = allocate(g->nodes, sizeof(*parent));
	for (uint32_t n = 0; n < g->nodes; n++)
		parent[n] = NO_NODE;
	parent[start] = start;
	queue[tail++] = start;
	while (head < tail && !length) {
		uint32_t node = queue[head++];

		for (size_t i = g->out_start[node]; i < g->out_start[node + 1] && !length; i++) {
			uint32_t to = g->out[i];

			if (to == start) {
				length = write_path(parent, start, node, ret_path);
			} else if (component[to] == component[start] && parent[to] == NO_NODE) {
				parent[to] = node;
				queue[tail++] = to;
			}
		}
	}
	free(queue);
	free(parent);
	return length;
}

static void spread(const struct wait_graph *g, const size_t *start, const uint32_t *other,
		   const uint8_t *within, uint8_t *reached)
{
	uint32_t *queue = allocate(g->nodes, sizeof(*queue));
	uint32_t head = 0, tail = 0;

	for (uint32_t n = 0; n < g->nodes; n++)
		if (reached[n])
			queue[tail++] = n;
	while (head < tail) {
		uint32_t node = queue[head++];

		for (size_t i = start[node]; i < start[node + 1]; i++) {
			uint32_t to = other[i];

			if (within[to] && !reached[to]) {
				reached[to] = 1;
				queue[tail++] = to;
			}
		}
	}
	free(queue);
}

void wait_graph_reach_back(struct wait_graph *g, const uint8_t *within, uint8_t *reached)
{
	make_index(g);
	spread(g, g->in_start, g->in, within, reached);
}

void wait_graph_reach(struct wait_graph *g, const uint8_t *within, uint8_t *reached)
{
	make_index(g);
	spread(g, g->out_start, g->out, within, reached);
}
