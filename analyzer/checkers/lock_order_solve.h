/* SPDX-License-Identifier: MIT */
/*
 * lock_order_solve.h - one candidate cycle at a time: can its edges happen at the same time in
 * different threads?
 */
#ifndef THRUM_ANALYZER_CHECKERS_LOCK_ORDER_SOLVE_H
#define THRUM_ANALYZER_CHECKERS_LOCK_ORDER_SOLVE_H

#include "lock_order.h"

#define PAIR_CACHE_BITS 14

/* Each includes those before it. */
enum condition { WITH_THREADS, WITH_MODES, WITH_GATES, WITH_CREATE, WITH_ALL };

/* Edge of the search graph: its contexts, best first. */
struct edge_info {
	uint32_t edge;	   /* in the lock graph */
	uint32_t *context; /* owned; NULL until needed */
	uint32_t count;
	uint32_t only_thread; /* all uses are of this thread; 0 = several */
};

struct solver {
	struct lock_order *order;
	struct lock_graph *graph;
	struct analysis *a;
	struct lock_report *report;
	struct edge_info *info; /* by edge of the search graph */
	uint32_t *object;	/* by node */
	uint64_t pair_key[1u << PAIR_CACHE_BITS];
	bool pair_fits[1u << PAIR_CACHE_BITS];
	uint64_t *seen; /* owned; hashes of cycles that were judged */
	uint32_t seen_mask, seen_count;
	/* of the cycle at hand */
	const uint32_t *path;
	uint32_t length;
	struct lock_choice *choice; /* owned */
	uint32_t choice_capacity;
	enum condition condition;
	bool weak_too;
	uint32_t work;
};

/* Sorts the edge's contexts into `info`; once. */
void lock_solver_load_edge(struct solver *s, struct edge_info *info);

/* Can `x` of context `c` and `y` of context `d` be blocked at the same time? */
bool lock_solver_uses_fit(struct solver *s, const struct lock_context *c, struct lock_use x,
			  const struct lock_context *d, struct lock_use y,
			  enum condition condition);

/* Do edges `x` and `y` of the search graph have uses that fit? Cached; when unsure, yes. */
bool lock_solver_edges_fit(struct solver *s, uint32_t x, uint32_t y);

/*
 * Reports the cycle s->path of s->length edges, or counts why it is none. s->choice has room. True
 * = it counts.
 */
bool lock_solver_judge(struct solver *s);

#endif
