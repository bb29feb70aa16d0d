/* SPDX-License-Identifier: MIT */
/*
 * lock_graph.h - which lock was requested while which was held, by whom, how: the store behind
 * lock_order.
 *
 * An edge is (held object, requested object); its contexts are the ways in which that happened:
 * stacks, modes, held set. The uses of a context are the threads and order segments it happened in.
 *
 * Two kinds of pseudo edge share the store: from = to (read side taken again while held), and from
 * = LOCK_GRAPH_WRITERS (somebody requests the rwlock `to` exclusively, whatever is held).
 *
 * Invariants
 *  - Size depends on distinct contexts, not on events: beyond USES_EXACT uses of a context, or
 *    CONTEXTS_EXACT contexts of an edge, only ever rarer ones are kept, and the newest thread's use.
 *    What is left out can hide a cycle, never make one up.
 *  - An object that is gone and lacks edges in or edges out can be in no cycle: its edges are
 *    dropped, and so on.
 */
#ifndef THRUM_ANALYZER_LOCK_GRAPH_H
#define THRUM_ANALYZER_LOCK_GRAPH_H

#include "model/model.h"

#define LOCK_GRAPH_WRITERS 0u

enum lock_context_flag {
	LOCK_HELD_SHARED = 1,
	LOCK_WANT_SHARED = 2,
	LOCK_BOUNDED = 4,   /* finite timed request */
	LOCK_UNCERTAIN = 8, /* records of the thread are missing before: a gate may be unknown */
	/* the held object was brand new: initialised by this thread, touched by no other */
	LOCK_PRIVATE = 16,
	LOCK_REACQUIRE = 32, /* the request is the end of a condition wait */
	LOCK_ONCE = 64,	     /* the request passes a once */
};

struct lock_use {
	uint32_t thread;
	uint32_t segment; /* of the request */
};

struct lock_context {
	uint32_t edge; /* 0 = free */
	uint32_t next; /* of the edge, 0 = last */
	uint32_t next_hash;
	uint32_t hold_stack, request_stack;
	uint32_t set;			  /* held set at the request: model_get_set */
	uint32_t flags;			  /* enum lock_context_flag */
	uint32_t use_count, use_capacity; /* capacity 0: in `one` */
	uint32_t offered;		  /* uses that were offered, kept or not */
	union {
		struct lock_use one;
		struct lock_use *many; /* owned */
	};
	uint64_t count;		      /* how often it happened */
	uint64_t hold_ns, request_ns; /* the first time */
};

struct lock_edge {
	uint32_t from, to; /* object ids; from 0 = free or WRITERS */
	uint32_t contexts; /* head of the list */
	uint32_t context_count;
	uint32_t next_hash;
	uint32_t next_out, previous_out, next_in, previous_in;
};

struct lock_vertex {
	uint32_t out, in; /* heads of edge lists */
	uint32_t out_count, in_count;
	uint64_t gone_ns; /* 0 = alive */
};

struct lock_graph {
	struct lock_edge *edge; /* owned; entry 0 unused */
	uint32_t edge_count, edge_capacity, edge_free;
	struct lock_context *context; /* owned; entry 0 unused */
	uint32_t context_count, context_capacity, context_free;
	struct lock_vertex *vertex; /* owned; entry 0 unused */
	uint32_t vertex_count, vertex_capacity;
	uint32_t *vertex_of; /* owned; by object id, 0 = none */
	size_t object_count;
	uint32_t *edge_slot, *context_slot; /* owned; hash heads */
	uint32_t edge_mask, context_mask;
	uint64_t edges_ever, contexts_ever, live_contexts;
	uint32_t *queue; /* owned; of lock_graph_forget */
	uint32_t queue_capacity;
};

/* What identifies a context; `hold_ns` and `request_ns` only describe it. */
struct lock_fact {
	uint32_t from, to;
	uint32_t hold_stack, request_stack;
	uint32_t set;
	uint32_t flags;
	uint64_t hold_ns, request_ns;
};

struct lock_graph *lock_graph_new(size_t object_count);
void lock_graph_free(struct lock_graph *g); /* takes NULL */

/*
 * Notes that `t` did `fact` in its present segment; pins the segment when the use is kept. Returns
 * the context's index, 0 when it was left out. Does not count: add to context[].count.
 */
uint32_t lock_graph_add(struct lock_graph *g, struct model *m, struct model_thread *t,
			const struct lock_fact *fact);

/* The object is gone or destroyed. */
void lock_graph_forget(struct lock_graph *g, uint32_t object, uint64_t time_ns);

/* The same, and its edges stay. */
void lock_graph_mark_gone(struct lock_graph *g, uint32_t object, uint64_t time_ns);

/* 0 = never gone. */
uint64_t lock_graph_get_gone(const struct lock_graph *g, uint32_t object);

uint32_t lock_graph_find_edge(const struct lock_graph *g, uint32_t from,
			      uint32_t to); /* 0 = none */

static inline const struct lock_use *lock_context_get_uses(const struct lock_context *c)
{
	return c->use_capacity ? c->many : &c->one;
}

#endif
