/* SPDX-License-Identifier: MIT */
/*
 * lockgraph.h - which locks the runs of a fleet took in which order: the summary of a trace, small, and made to be merged.
 *
 * A lockgraph is a set of records, each with an id that says what it is about: a hash of a name that is the same in every run. Merging
 * takes the union of the sets; two records of one id become one by operations that are associative, commutative and idempotent
 * (union, intersection, least, most, or). So runs may be merged in any order and grouping, and a run that comes twice counts once.
 *
 * Invariants
 *  - Nothing in a record is a sum. How many runs showed an edge is the size of a set of run ids; only the smallest LOCKGRAPH_RUNS_KEPT
 *    ids are kept, from which a larger size is estimated.
 *  - Records may refer to ones that are not there (a part of a set is a set): only lockgraph_findings needs them.
 *  - An id of a lock holds its program (build-id of the executable): locks of two programs are never the same, and a lock of a
 *    library is another one in the next build.
 *  - Everything is owned by the lockgraph. Not thread-safe. A failed allocation aborts, as in finding.h.
 */
#ifndef THRUM_ANALYZER_FLEET_LOCKGRAPH_H
#define THRUM_ANALYZER_FLEET_LOCKGRAPH_H

#include "../../trace/trace_diag.h"
#include "../finding.h"

#include <stdio.h>

#define LOCKGRAPH_RUNS_KEPT 64u	 /* of an edge */
#define LOCKGRAPH_RUNS_ALL 4096u /* of all */
#define LOCKGRAPH_SCHEMA "thrum-lockgraph/1"

/* Ascending, each once. */
struct lockgraph_set {
	uint64_t *id;
	size_t count;
};

/* Enough of a lock to tell it in every run. */
enum lockgraph_identity {
	LOCKGRAPH_STATIC, /* module, build-id, offset, and which of its lives: one lock of a process */
	LOCKGRAPH_NAMED, /* by a name that program or annotation gave: one, unless `many` */
	LOCKGRAPH_SITE,	 /* where it was made: a class */
	LOCKGRAPH_IDENTITIES
};

struct lockgraph_record {
	uint64_t id; /* never 0 */
};

struct lockgraph_program {
	struct lockgraph_record record;
	const char *command;  /* of some run */
	const char *build_id; /* hex, NULL = none */
};

/* Threads that are made at one place to do one thing. */
struct lockgraph_role {
	struct lockgraph_record record;
	uint64_t program;
	bool is_main;
	const char *start;	       /* function, NULL = unknown */
	uint64_t created;	       /* stack; 0 = unknown */
	uint64_t most;		       /* threads of this role in one run */
	struct lockgraph_set barriers; /* locks' ids of barriers that they pass */
};

struct lockgraph_lock {
	struct lockgraph_record record;
	uint64_t program;
	enum lockgraph_identity identity;
	uint32_t kind;	  /* enum trace_object_kind */
	const char *name; /* NULL = none */
	const char *word; /* what its kind is called, NULL = by the kind */
	bool many;	  /* in some run several objects had this id */
	bool is_signal;	  /* a semaphore that in some run was no lock */
	uint64_t
		room; /* a counting semaphore that all post who took it: so many get in; 0 = not such */
	uint64_t first_seen; /* stack; 0 = unknown */
};

/* One way in which threads of `role` requested `to` while they held `from`. */
struct lockgraph_edge {
	struct lockgraph_record record;
	uint64_t program, from, to, role;
	uint32_t flags;		     /* enum lock_context_flag */
	struct lockgraph_set gates;  /* locks that were held exclusively, `from` with them … */
	struct lockgraph_set shared; /* … for reading, or as permits */
	/* Roles of which another thread could run at the same time, as create and join order them: in some run. */
	struct lockgraph_set with;
	/* Roles of which a thread was over before: always; and in some run. */
	struct lockgraph_set after_always, after_ever;
	uint64_t rounds_least, rounds_most; /* barriers that the thread had passed */
	struct lockgraph_set runs;
	/* Where it happened in run `witness`: the smallest one. */
	uint64_t witness, hold, request; /* run, stack, stack */
};

struct lockgraph_stack {
	struct lockgraph_record record;
	struct frames frames;
};

enum lockgraph_table {
	LOCKGRAPH_PROGRAMS,
	LOCKGRAPH_ROLES,
	LOCKGRAPH_LOCKS,
	LOCKGRAPH_EDGES,
	LOCKGRAPH_STACKS,
	LOCKGRAPH_TABLES
};

struct lockgraph;

struct lockgraph *lockgraph_new(void);
void lockgraph_free(struct lockgraph *g); /* takes NULL */

/*
 * Memory that lives as long as the lockgraph; copies of texts, each text once; NULL gives NULL.
 */
struct finding_list *lockgraph_memory(struct lockgraph *g);
const char *lockgraph_text(struct lockgraph *g, const char *text);

/*
 * Puts a copy of `record` (of the type of `table`) into the table or joins it with the one of its id. What it points to must be the
 * lockgraph's own memory.
 */
void lockgraph_add(struct lockgraph *g, enum lockgraph_table table, const void *record);
void lockgraph_add_run(struct lockgraph *g, uint64_t run);

/* NULL = none of that id; id 0 is none. */
const void *lockgraph_find(const struct lockgraph *g, enum lockgraph_table table, uint64_t id);

/* All records of a table, ascending by id. Borrowed until the next lockgraph_add. */
const void *const *lockgraph_list(struct lockgraph *g, enum lockgraph_table table,
				  size_t *ret_count);
const struct lockgraph_set *lockgraph_get_runs(const struct lockgraph *g);

/* How many ids a set had of which the `kept` smallest are left; exact below `kept`. */
uint64_t lockgraph_estimate(const struct lockgraph_set *set, size_t kept);

/* ---- sets ---- */

/* Adds an id; keeps at most `most` of the smallest, 0 = all. */
void lockgraph_set_add(struct lockgraph *g, struct lockgraph_set *set, uint64_t id, size_t most);
bool lockgraph_set_has(const struct lockgraph_set *set, uint64_t id);
bool lockgraph_sets_meet(const struct lockgraph_set *a, const struct lockgraph_set *b);
bool lockgraph_sets_equal(const struct lockgraph_set *a, const struct lockgraph_set *b);

/* A hash of texts and numbers for ids: `seed` joins parts. Never 0. */
uint64_t lockgraph_hash_text(uint64_t seed, const char *text);
uint64_t lockgraph_hash_id(uint64_t seed, uint64_t id);

/* ---- files: lockgraph_read.c, lockgraph_write.c ---- */

/* Does the file begin like one? "-" is not looked at. */
bool lockgraph_is_file(const char *path);

/*
 * Adds all of the file, "-" = standard input. JSON, one record a line; files may be joined end to end and their lines mixed.
 * THRUM_EIO; THRUM_EFORMAT with the line; THRUM_EVERSION. What was read before the error stays.
 */
int lockgraph_read(struct lockgraph *g, const char *path, struct diag *diag);
int lockgraph_read_text(struct lockgraph *g, const char *text, size_t bytes, struct diag *diag);

/* Equal lockgraphs give equal bytes. */
int lockgraph_write(struct lockgraph *g, FILE *out, struct diag *diag);

/* ---- findings: lockgraph_judge.c ---- */

/*
 * Adds findings of rule lock-order-inversion: rings of locks that threads of some runs take in turn, judged as lock_order judges those of one
 * run by what the records say. Potential where each lock is one of a process (static, or named and never several), else a hint.
 * Findings have fingerprints of one run's. `process` numbers the one that all findings name. Returns how many rings were ruled out.
 */
uint64_t lockgraph_findings(struct lockgraph *g, struct finding_list *findings, size_t process);

#endif
