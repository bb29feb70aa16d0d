/* SPDX-License-Identifier: MIT */
/*
 * order_graph.h - which lock was asked for while which was held, in a whole image: for pictures. It judges nothing: what can happen and
 * what cannot is the lock-order checker's to say.
 *
 * Invariants
 *  - An edge is a pair of locks, with how often it happened and the first time it did.
 *  - A try variant makes an edge too, marked: it cannot block, but shows who uses which order.
 *  - Grows with pairs, not with events; beyond ORDER_MOST_EDGES pairs new ones are counted and left out.
 *
 * Not thread-safe.
 */
#ifndef THRUM_VIEWER_ORDER_GRAPH_H
#define THRUM_VIEWER_ORDER_GRAPH_H

#include "scan.h"

#define ORDER_MOST_EDGES (1u << 20)
#define ORDER_MANY_THREADS UINT32_MAX
#define ORDER_NO_CYCLE UINT32_MAX

struct order_edge {
	uint32_t from, to; /* objects: `to` was asked for while `from` was held */
	uint32_t thread;   /* that did it; ORDER_MANY_THREADS = several */
	uint32_t first_thread, hold_stack, request_stack; /* the first time */
	uint64_t first_ns, last_ns;
	uint64_t count;
	bool only_tries, only_reads; /* never by a blocking call; both sides always for reading */
	uint32_t
		cycle; /* both ends are in this strongly connected component, counted from 0; or ORDER_NO_CYCLE */
};

struct order_graph {
	struct order_edge *edge; /* owned; by `from`, then `to` */
	uint32_t count, capacity;
	uint32_t *slot; /* owned; hash of pairs: index + 1 */
	uint32_t slots;
	uint64_t left_out;
	uint32_t cycles; /* components of more than one lock */
};

/*
 * A part of a pass that fills `graph` (zeroed by the caller) with the image it is at; sorted, with cycles, when the image ends.
 * The next image begins anew: take what is needed in a part that comes later in the same pass.
 */
struct scan_part order_graph_part(struct order_graph *graph);
void order_graph_release(struct order_graph *graph);

#endif
