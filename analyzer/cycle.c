/* SPDX-License-Identifier: MIT */
/*
 * cycle.c - strongly connected components and the search for cycles inside them; no recursion, so
 * no depth limit.
 */
#include "cycle.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define EDGE_BUDGET 20000u /* steps spent on the long cycles through one edge, at least */

struct search {
	const struct cycle_graph *graph;
	const struct cycle_visitor *visitor;
	uint32_t *first;	      /* node -> first edge out; node_count + 1 entries */
	uint32_t *in_first, *in_edge; /* the same for edges in */
	uint32_t *component;
	bool *covered;	    /* edge is in an accepted cycle */
	uint32_t *distance; /* node -> edges to the target, NONE = not known */
	uint32_t *queue;
	bool *on_path;	  /* node */
	uint32_t *path;	  /* edges */
	uint32_t *cursor; /* next edge to try at each depth */
	uint64_t budget;
	uint32_t current; /* component */
};

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count + 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

static uint32_t *index_edges(uint32_t node_count, uint32_t edge_count, const uint32_t *end)
{
	uint32_t *first = allocate((size_t)node_count + 1, sizeof(*first));

	for (uint32_t e = 0; e < edge_count; e++)
		first[end[e] + 1]++;
	for (uint32_t n = 0; n < node_count; n++)
		first[n + 1] += first[n];
	return first;
}

/* ---- components ---- */

struct tarjan {
	uint32_t *index, *low, *stack, *call, *cursor;
	uint32_t depth, calls, next, components;
};

/*
 * Node is done: if it is the root of a component, everything above it on the stack belongs to that.
 */
static void finish_node(struct tarjan *t, uint32_t node, uint32_t *component)
{
	uint32_t member;

	if (t->low[node] != t->index[node])
		return;
	do {
		member = t->stack[--t->depth];
		component[member] = t->components;
	} while (member != node);
	t->components++;
}

static void open_node(struct tarjan *t, uint32_t node, const uint32_t *first)
{
	t->index[node] = t->low[node] = ++t->next;
	t->stack[t->depth++] = node;
	t->cursor[node] = first[node];
	t->call[t->calls++] = node;
}

static void walk_from(struct tarjan *t, const struct cycle_graph *graph, const uint32_t *first,
		      uint32_t root, uint32_t *component)
{
	open_node(t, root, first);
	while (t->calls) {
		uint32_t node = t->call[t->calls - 1], next;

		if (t->cursor[node] == first[node + 1]) {
			finish_node(t, node, component);
			if (--t->calls && t->low[node] < t->low[t->call[t->calls - 1]])
				t->low[t->call[t->calls - 1]] = t->low[node];
			continue;
		}
		next = graph->to[t->cursor[node]++];
		if (!t->index[next])
			open_node(t, next, first);
		else if (component[next] == NONE && t->index[next] < t->low[node])
			t->low[node] = t->index[next];
	}
}

uint32_t cycle_components(const struct cycle_graph *graph, uint32_t *ret_component)
{
	uint32_t n = graph->node_count;
	uint32_t *memory = allocate((size_t)n * 5, sizeof(*memory));
	uint32_t *first = index_edges(n, graph->edge_count, graph->from);
	struct tarjan t = { .index = memory,
			    .low = memory + n,
			    .stack = memory + 2 * (size_t)n,
			    .call = memory + 3 * (size_t)n,
			    .cursor = memory + 4 * (size_t)n };

	for (uint32_t node = 0; node < n; node++)
		ret_component[node] = NONE;
	for (uint32_t node = 0; node < n; node++)
		if (!t.index[node])
			walk_from(&t, graph, first, node, ret_component);
	free(memory);
	free(first);
	return t.components;
}

/* ---- search inside one component ---- */

static bool is_inside(const struct search *s, uint32_t edge)
{
	return s->component[s->graph->from[edge]] == s->current &&
	       s->component[s->graph->to[edge]] == s->current;
}

static bool spend(struct search *s, uint64_t steps)
{
	s->budget -= steps < s->budget ? steps : s->budget;
	return s->budget > 0;
}

static uint32_t find_edge(const struct search *s, uint32_t from, uint32_t to)
{
	uint32_t low = s->first[from], high = s->first[from + 1];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->graph->to[middle] < to)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->first[from + 1] && s->graph->to[low] == to ? low : NONE;
}

static bool offer(struct search *s, const uint32_t *edge, uint32_t count)
{
	if (!s->visitor->closes(s->visitor->cookie, edge, count))
		return false;
	for (uint32_t i = 0; i < count; i++)
		s->covered[edge[i]] = true;
	return true;
}

static void search_pairs(struct search *s, const uint32_t *edge, uint32_t count)
{
	for (uint32_t i = 0; i < count && spend(s, 4); i++) {
		uint32_t from = s->graph->from[edge[i]], to = s->graph->to[edge[i]];
		uint32_t cycle[2] = { edge[i], from < to ? find_edge(s, to, from) : NONE };

		if (cycle[1] != NONE) {
			spend(s, 20);
			offer(s, cycle, 2);
		}
	}
}

/* All cycles a -> b -> c -> a with a the smallest node. */
static void search_triples(struct search *s, const uint32_t *edge, uint32_t count, uint64_t reserve)
{
	for (uint32_t i = 0; i < count && s->budget > reserve; i++) {
		uint32_t a = s->graph->from[edge[i]], b = s->graph->to[edge[i]];

		if (b < a)
			continue;
		for (uint32_t f = s->first[b]; f < s->first[b + 1] && spend(s, 4); f++) {
			uint32_t c = s->graph->to[f];
			uint32_t cycle[3] = { edge[i], f, c > a ? find_edge(s, c, a) : NONE };

			if (cycle[2] == NONE ||
			    (s->covered[cycle[0]] && s->covered[cycle[1]] && s->covered[cycle[2]]))
				continue;
			spend(s, 30);
			offer(s, cycle, 3);
		}
	}
}

/* Distances to `target` by edges inside the component. Returns how many nodes were reached. */
static uint32_t measure(struct search *s, uint32_t target)
{
	uint32_t head = 0, tail = 0;

	s->distance[target] = 0;
	s->queue[tail++] = target;
	while (head < tail) {
		uint32_t node = s->queue[head++];

		for (uint32_t i = s->in_first[node]; i < s->in_first[node + 1]; i++) {
			uint32_t from = s->graph->from[s->in_edge[i]];

			if (s->component[from] != s->current || s->distance[from] != NONE)
				continue;
			s->distance[from] = s->distance[node] + 1;
			s->queue[tail++] = from;
		}
		spend(s, 2 + s->in_first[node + 1] - s->in_first[node]);
	}
	return tail;
}

static void unmeasure(struct search *s, uint32_t reached)
{
	for (uint32_t i = 0; i < reached; i++)
		s->distance[s->queue[i]] = NONE;
}

struct walk {
	uint32_t target, limit;
	uint32_t next_limit; /* least length that was cut off */
	uint64_t steps, allowance;
	bool found;
};

/* One edge more on the path of `depth` edges? Closing edges are offered here. */
static bool try_edge(struct search *s, struct walk *w, uint32_t depth, uint32_t edge)
{
	uint32_t to = s->graph->to[edge];
	uint32_t length;

	if (s->component[to] != s->current || (to != w->target && s->on_path[to]))
		return false;
	length = depth + 1 + s->distance[to];
	if (length > w->limit) {
		if (length < w->next_limit)
			w->next_limit = length;
		return false;
	}
	if (to == w->target && depth + 1 < w->limit)
		return false; /* offered when the limit was smaller */
	s->path[depth] = edge;
	w->steps += depth;
	if (!s->visitor->extends(s->visitor->cookie, s->path, depth + 1))
		return false;
	if (to != w->target)
		return true;
	w->found = offer(s, s->path, depth + 1);
	return false;
}

/*
 * Depth first along all paths of exactly `limit` edges that start with path[0] and come back to the
 * target.
 */
static void walk_paths(struct search *s, struct walk *w)
{
	uint32_t depth = 1;

	s->cursor[1] = s->first[s->graph->to[s->path[0]]];
	s->on_path[s->graph->to[s->path[0]]] = true;
	while (depth && !w->found && w->steps < w->allowance) {
		uint32_t node = s->graph->to[s->path[depth - 1]];

		w->steps++;
		if (s->cursor[depth] == s->first[node + 1]) {
			s->on_path[node] = false;
			depth--;
		} else if (try_edge(s, w, depth, s->cursor[depth]++)) {
			uint32_t to = s->graph->to[s->path[depth]];

			depth++;
			s->cursor[depth] = s->first[to];
			s->on_path[to] = true;
		}
	}
	while (depth)
		s->on_path[s->graph->to[s->path[--depth]]] = false;
}

/* The shortest cycle through path[0], for the visitor to say why it does not count. */
static void offer_shortest(struct search *s, uint32_t edge)
{
	uint32_t node = s->graph->to[edge], count = 1;

	s->path[0] = edge;
	while (s->distance[node]) {
		uint32_t f = s->first[node];

		while (s->component[s->graph->to[f]] != s->current ||
		       s->distance[s->graph->to[f]] + 1 != s->distance[node])
			f++;
		s->path[count++] = f;
		node = s->graph->to[f];
	}
	if (count > 3)
		offer(s, s->path, count);
}

/* Returns false when the search was not exhaustive. */
static bool search_through(struct search *s, uint32_t edge)
{
	struct walk w = { .target = s->graph->from[edge] };
	uint32_t reached = measure(s, w.target);

	/* One walk around the whole component has to fit. */
	w.allowance = EDGE_BUDGET + (uint64_t)reached * reached;
	if (w.allowance > s->budget)
		w.allowance = s->budget;
	w.limit = s->distance[s->graph->to[edge]] + 1;
	if (w.limit < 4)
		w.limit = 4; /* the shorter ones are done */
	s->on_path[w.target] = true;
	for (;;) {
		w.next_limit = NONE;
		s->path[0] = edge;
		walk_paths(s, &w);
		if (w.found || w.steps >= w.allowance || w.next_limit == NONE)
			break;
		w.limit = w.next_limit;
	}
	s->on_path[w.target] = false;
	spend(s, w.steps);
	if (!w.found)
		offer_shortest(s, edge);
	unmeasure(s, reached);
	return w.found || w.steps < w.allowance;
}

/* Returns false when something was left unsearched. */
static bool search_component(struct search *s, const uint32_t *edge, uint32_t count)
{
	bool complete = true;

	if (!s->visitor->enters(s->visitor->cookie, edge, count))
		return true;
	search_pairs(s, edge, count);
	search_triples(s, edge, count, s->budget / 2);
	for (uint32_t i = 0; i < count && s->budget; i++)
		if (!s->covered[edge[i]] && !search_through(s, edge[i]))
			complete = false;
	return complete && s->budget;
}

/* Edges inside components, grouped by component; within each in ascending order. */
static uint32_t group_edges(struct search *s, uint32_t components, uint32_t *ret_start,
			    uint32_t *ret_edge)
{
	uint32_t total = 0;

	for (uint32_t e = 0; e < s->graph->edge_count; e++)
		if (s->component[s->graph->from[e]] == s->component[s->graph->to[e]])
			ret_start[s->component[s->graph->from[e]] + 1]++;
	for (uint32_t c = 0; c < components; c++)
		ret_start[c + 1] += ret_start[c];
	total = ret_start[components];
	for (uint32_t e = s->graph->edge_count; e-- > 0;) {
		s->current = s->component[s->graph->from[e]];
		if (is_inside(s, e))
			ret_edge[--ret_start[s->current + 1]] = e;
	}
	/* start[c + 1] is now where c begins. */
	memmove(ret_start, ret_start + 1, components * sizeof(*ret_start));
	ret_start[components] = total;
	return total;
}

static void init_search(struct search *s, const struct cycle_graph *graph)
{
	uint32_t n = graph->node_count, *fill;

	s->first = index_edges(n, graph->edge_count, graph->from);
	s->in_first = index_edges(n, graph->edge_count, graph->to);
	s->in_edge = allocate(graph->edge_count, sizeof(*s->in_edge));
	fill = allocate(n, sizeof(*fill));
	for (uint32_t e = 0; e < graph->edge_count; e++)
		s->in_edge[s->in_first[graph->to[e]] + fill[graph->to[e]]++] = e;
	free(fill);
	s->covered = allocate(graph->edge_count, sizeof(*s->covered));
	s->distance = allocate(n, sizeof(*s->distance));
	memset(s->distance, 0xff, n * sizeof(*s->distance));
	s->queue = allocate(n, sizeof(*s->queue));
	s->on_path = allocate(n, sizeof(*s->on_path));
	s->path = allocate((size_t)n + 1, sizeof(*s->path));
	s->cursor = allocate((size_t)n + 1, sizeof(*s->cursor));
}

uint32_t cycle_search(const struct cycle_graph *graph, const struct cycle_visitor *visitor,
		      uint64_t budget)
{
	struct search s = { .graph = graph, .visitor = visitor, .budget = budget };
	uint32_t components, left_over = 0;
	uint32_t *start, *edge;

	s.component = allocate(graph->node_count, sizeof(*s.component));
	components = cycle_components(graph, s.component);
	init_search(&s, graph);
	start = allocate((size_t)components + 1, sizeof(*start));
	edge = allocate(graph->edge_count, sizeof(*edge));
	group_edges(&s, components, start, edge);
	for (uint32_t c = 0; c < components; c++) {
		s.current = c;
		if (start[c + 1] > start[c] &&
		    !search_component(&s, edge + start[c], start[c + 1] - start[c]))
			left_over++;
	}
	free(s.first);
	free(s.in_first);
	free(s.in_edge);
	free(s.component);
	free(s.covered);
	free(s.distance);
	free(s.queue);
	free(s.on_path);
	free(s.path);
	free(s.cursor);
	free(start);
	free(edge);
	return left_over;
}
