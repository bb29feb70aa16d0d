/* SPDX-License-Identifier: MIT */
/*
 * shim_facts_private.h - what the parts of the facts share: their state, and the writing of groups.
 *
 * shim_fact_keys.c says what is new, shim_facts.c writes it down, shim_fact_context.c what others have to do with
 * it, shim_bounded_ids.c hands out ids. All is SLOW. What is not said to be atomic is under the lock that stands
 * above it.
 */
#ifndef THRUM_SHIM_FACTS_PRIVATE_H
#define THRUM_SHIM_FACTS_PRIVATE_H

#include "shim_emit.h"
#include "shim_facts.h"

enum {
	FACT_THREADS = 1 << 19, /* that may churn; more are not told apart */
	USED_THREADS = 1024,
};

struct known_thread {
	struct tf_def_thread *def; /* in the map; NULL = did not fit */
	uint64_t birth;		   /* its place among all that were made */
	uint8_t churns, pinned, detached;
	bool queued; /* to be given out again; under used_lock */
};

struct facts {
	/* The stream, under `lock`. */
	spin_t lock;
	struct tf_segment *segment;
	uint8_t *cursor;
	uint64_t last_ticks;
	uint32_t last_object, of;
	bool full; /* the size limit is reached; never taken back */
	_Atomic uint64_t order;
	struct fact held[HOLDS]; /* scratch, of another thread */

	/* Ids to be given out again, under `used_lock`. */
	spin_t used_lock;
	struct story *used, **used_end;
	uint32_t used_count;
	uint32_t used_threads[USED_THREADS], used_threads_begin, used_threads_end;

	/* By class: objects of it that are gone, threads of it that were made. */
	_Atomic uint32_t objects_gone[1 << CLASS_BITS], threads_made[1 << CLASS_BITS];
	/* By id. */
	struct known_thread thread[FACT_THREADS];
	_Atomic uint64_t births;

	/* The keys that were met; 0 = free. And how many of each place. */
	_Atomic uint32_t keys;
	_Atomic uint32_t keys_of[1 << CLASS_BITS];
	_Atomic uint64_t key[1 << FACT_KEY_BITS];
};

/* Things made at one place, or done at one. Places may share a class. */
static inline uint32_t facts_class_of(uint32_t stack)
{
	return (stack * 0x9e3779b1u) >> (32 - CLASS_BITS);
}

/* ---- the stream, under its lock ---- */

/* Is there room for so many records? Seals the chunk for it. */
bool facts_make_room(struct facts *w, size_t records);
void facts_put(struct facts *w, const struct fact *f, uint64_t ticks);
/* What follows is of `thread`. */
void facts_put_of(struct facts *w, uint32_t thread, uint64_t ticks);
/* All that the thread holds. */
void facts_put_held(struct facts *w, const struct fact *held, uint32_t count, uint64_t ticks);
/* Ids that are named are never given out again. */
void facts_pin(const struct fact *f);

/* ---- shim_fact_context.c: others that have to do with a fact ---- */

enum { WITNESSES = 64 };

/* Threads of which something was told beside a fact: their state ends with it. */
struct witnesses {
	uint32_t thread[WITNESSES];
	uint32_t count;
};

/* Before the fact itself: what `context` (enum fact_context) asks for. */
void facts_put_before(struct facts *w, const struct fact *f, uint64_t ticks, unsigned context,
		      struct witnesses *told);

#endif
