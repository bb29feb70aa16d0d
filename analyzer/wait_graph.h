/* SPDX-License-Identifier: MIT */
/*
 * wait_graph.h - who waits for whom as an AND/OR graph: what can still run, which nodes wait for
 * each other.
 *
 * Knows nothing of threads, locks or traces: nodes are numbers. A node
 *   RUNS   can go on by itself
 *   NEVER  gives nothing any more
 *   ALL    goes on when every node it waits for can (with no edge: at once)
 *   ANY    goes on when one node it waits for can (with no edge: never)
 *
 * Invariants
 *  - Everything is linear in nodes and edges; nothing recurses, so a chain of a million nodes is
 *    fine.
 *  - Edges may be added twice; the answers are the same.
 *  - Results depend on the order of the calls only, not on addresses.
 *
 * Not thread-safe. A failed allocation ends the program.
 */
#ifndef THRUM_ANALYZER_WAIT_GRAPH_H
#define THRUM_ANALYZER_WAIT_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wait_node_state { WAIT_NODE_RUNS, WAIT_NODE_NEVER, WAIT_NODE_ALL, WAIT_NODE_ANY };

#define WAIT_NO_COMPONENT UINT32_MAX

struct wait_edge {
	uint32_t from, to;
};

struct wait_graph {
	uint8_t *state; /* enum wait_node_state, by node; owned */
	uint32_t nodes, node_capacity;
	struct wait_edge *edges; /* owned */
	size_t edge_count, edge_capacity;
	/* The same edges by source and by target, made when first asked for. */
	size_t *out_start, *in_start; /* nodes + 1 entries; owned */
	uint32_t *out, *in;	      /* owned */
	bool indexed;
};

/* `nodes` nodes in state RUNS. */
void wait_graph_init(struct wait_graph *g, uint32_t nodes);
void wait_graph_release(struct wait_graph *g);

uint32_t wait_graph_add_node(struct wait_graph *g, enum wait_node_state state);
void wait_graph_set_state(struct wait_graph *g, uint32_t node, enum wait_node_state state);
/* `from` waits for `to`. Ignored by the solver where the state of `from` is RUNS or NEVER. */
void wait_graph_add_edge(struct wait_graph *g, uint32_t from, uint32_t to);

/*
 * Targets of the edges from `node` (or sources of the edges to it). Borrowed until the next edge or
 * node is added.
 */
const uint32_t *wait_graph_get_out(struct wait_graph *g, uint32_t node, size_t *ret_count);
const uint32_t *wait_graph_get_in(struct wait_graph *g, uint32_t node, size_t *ret_count);

/*
 * Sets ret_can[node] to 1 where the node can go on, else 0. Least fixpoint: nodes that need each
 * other cannot.
 */
void wait_graph_solve(struct wait_graph *g, uint8_t *ret_can);

/*
 * Strongly connected components of the subgraph of nodes with within[node] != 0:
 * ret_component[node] is its number, or WAIT_NO_COMPONENT outside. Every edge leads to a component
 * with the same or a smaller number. Returns how many.
 */
uint32_t wait_graph_components(struct wait_graph *g, const uint8_t *within,
			       uint32_t *ret_component);

/*
 * Shortest closed walk from `start` through nodes of its own component back to it, `start` first
 * and not repeated. Writes at most g->nodes entries to ret_path; returns the length, 0 when `start`
 * is on no cycle.
 */
uint32_t wait_graph_find_cycle(struct wait_graph *g, const uint32_t *component, uint32_t start,
			       uint32_t *ret_path);

/*
 * Marks in ret_reached (zeroed by the caller, node count entries) what leads to marked nodes,
 * inside `within`.
 */
void wait_graph_reach_back(struct wait_graph *g, const uint8_t *within, uint8_t *reached);
/* The same along the edges: what the marked nodes wait for, directly or not. */
void wait_graph_reach(struct wait_graph *g, const uint8_t *within, uint8_t *reached);

#endif
