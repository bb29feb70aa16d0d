/* SPDX-License-Identifier: MIT */
/*
 * cycle.h - the cycles of a directed graph that a visitor accepts, smallest first, within a budget
 * of work.
 *
 * Knows nothing of locks. Works inside strongly connected components (Tarjan, iterative). In each
 * component:
 *
 *   1. all cycles of two edges, then all of three;
 *   2. for every edge that is in no accepted cycle yet: cycles through it, shorter ones first, of
 *      any length, until one is accepted.
 *
 * So every accepted cycle has an edge of its own, or is one of the smallest: a dense tangle gives
 * its small cycles and not each of the exponentially many long ones around them. Deterministic.
 */
#ifndef THRUM_ANALYZER_CYCLE_H
#define THRUM_ANALYZER_CYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Edges sorted by (from, to), no doubles, no loops. Nodes are 0 .. node_count - 1. Borrowed during
 * the search.
 */
struct cycle_graph {
	uint32_t node_count, edge_count;
	const uint32_t *from, *to;
};

struct cycle_visitor {
	void *cookie;
	/* A component with at least one cycle: its edges. False = not worth a search. */
	bool (*enters)(void *cookie, const uint32_t *edge, uint32_t count);
	/*
	 * May the path be part of an acceptable cycle? Asked when edge[count - 1] is new; count >=
	 * 2.
	 */
	bool (*extends)(void *cookie, const uint32_t *edge, uint32_t count);
	/*
	 * A cycle, in order. Returns whether it is accepted. The same cycle may come again,
	 * rotated.
	 */
	bool (*closes)(void *cookie, const uint32_t *edge, uint32_t count);
};

/*
 * `budget` in steps (about 5 ns each). Returns how many components had edges left over when it was
 * spent.
 */
uint32_t cycle_search(const struct cycle_graph *graph, const struct cycle_visitor *visitor,
		      uint64_t budget);

/*
 * Component number of each node into `ret_component` (node_count entries); nodes of one component
 * are mutually reachable. Returns the number of components.
 */
uint32_t cycle_components(const struct cycle_graph *graph, uint32_t *ret_component);

#endif
