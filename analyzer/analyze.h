/* SPDX-License-Identifier: MIT */
/*
 * analyze.h - the pipeline: reader -> model -> checkers -> findings, one process image after the
 * other, then those together that share something or hang on each other (run_union.h).
 *
 * Findings come out unsorted, unsuppressed and without symbols: later stages do that. Deterministic
 * for the same trace and options. Never prints.
 */
#ifndef THRUM_ANALYZER_ANALYZE_H
#define THRUM_ANALYZER_ANALYZE_H

#include "../trace/trace_reader.h"
#include "finding.h"

/* Why a candidate cycle is no finding. */
enum prune_reason {
	PRUNE_ONE_THREAD,      /* every context of some pair of edges belongs to one thread */
	PRUNE_GATE,	       /* a common lock, held exclusively on one side */
	PRUNE_ORDERED_CREATE,  /* ordered by create and join */
	PRUNE_ORDERED_BARRIER, /* ordered by a barrier that every run passes */
	PRUNE_READ_READ,       /* both sides read */
	PRUNE_DESTROYED,       /* a lock of it was gone before another part happened */
	PRUNE_OBSERVED,	       /* reported as a deadlock that happened */
	PRUNE_ACROSS_RUNS, /* of many runs: threads, modes, gates or order rule it out in each */
	PRUNE_BUDGET,	   /* not looked at: search budget spent */
	PRUNE_COUNT
};

struct analyze_stats {
	uint64_t events, objects, threads;
	uint64_t lost_events;
	uint64_t lock_edges, lock_contexts; /* of the lock-order graph */
	uint64_t pruned[PRUNE_COUNT];	    /* cycles, by the first reason that ruled each out */
	uint64_t trylock_edges;		    /* nested try-acquires, which make no edge */
	uint64_t bounded_cycles;	    /* cycles with a finite timed wait: hints */
};

struct model;
struct lock_graph;

/* All that lock order has collected of one image; valid during the call that gets it. */
struct lock_view {
	const struct trace_process *process;
	size_t process_index;
	struct model *model;
	/* Edges of locks that are gone are in it too, as far as there is room. */
	const struct lock_graph *graph;
	/* By segment of a use: barriers that its thread had passed before. */
	const uint32_t *rounds;
	size_t rounds_count;
	/* Which thread passed which barrier: thread << 32 | object, 0 = free slot. */
	const uint64_t *passed;
	size_t passed_slots;
};

struct analyze_options {
	uint64_t rules_off; /* bit per enum rule */
	uint64_t hold_ns;   /* --hold-ms; 0 = default 200 ms */
	uint64_t stall_ns;  /* --stall-ms; 0 = default 100 ms */
	bool timed_out;	    /* the run was ended by --timeout */
	/* When the run was over, as the launcher says, and its process; 0 = not known. */
	uint64_t end_real_ns;
	uint32_t end_pid;
	/* lock-order contexts kept in one pass; 0 = default. More means a second pass */
	uint64_t max_contexts;
	/* locks held by a thread, beyond which a request makes no contexts in the first pass; 0 = default */
	uint32_t many_held;
	/* Gets the lock order of each image at its end; NULL = nobody asks, which saves memory. */
	void (*lock_view)(void *cookie, const struct lock_view *view);
	void *lock_view_cookie;
	/* Called about every million events; false = stop: THRUM_ESTOPPED, and findings are worth nothing. May be NULL. */
	bool (*progress)(void *cookie, size_t process, uint64_t events, uint64_t total);
	void *cookie;
};

/* Text for --verbose, never NULL: "a gate lock is held on both sides". */
const char *prune_reason_text(enum prune_reason reason);

/*
 * Adds to `findings` and `ret_stats` (zeroed first). Fails as the reader does. `options` may be
 * NULL.
 */
int analyze_run(struct trace_reader *reader, const struct analyze_options *options,
		struct finding_list *findings, struct analyze_stats *ret_stats, struct diag *diag);

/* ---- the same by hand, for tests: one image whose events the caller feeds ---- */

struct analyze_image;

struct analyze_image *analyze_image_begin(const struct trace_process *process, size_t index,
					  const struct analyze_options *options,
					  struct finding_list *findings,
					  struct analyze_stats *stats);
/* The same for several images that are looked at as one: see run_union.h. */
struct run_processes;
struct analyze_image *analyze_image_begin_run(const struct trace_process *process,
					      const struct run_processes *run,
					      const struct analyze_options *options,
					      struct finding_list *findings,
					      struct analyze_stats *stats);
void analyze_image_event(struct analyze_image *image, const struct trace_event *event);
/*
 * Finishes all checkers and frees the image. Returns NULL, or the image of a second pass (rare: see
 * struct analysis): feed it the same events again from the start, then end it too.
 */
struct analyze_image *analyze_image_end(struct analyze_image *image);

#endif
