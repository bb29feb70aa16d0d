/* SPDX-License-Identifier: MIT */
/*
 * shim_facts.h - the facts of bounded mode: which keys were met, and the stream that facts are written
 * to. What is a fact is decided in shim_bounded.c.
 *
 * Safety class SLOW. One spin lock around the stream; ranks below meta, nothing is taken under it.
 */
#ifndef THRUM_SHIM_FACTS_H
#define THRUM_SHIM_FACTS_H

#include "shim_bounded.h"

/* What else a fact needs to be understood. */
enum fact_context {
	FACT_ORDER = 1,		/* part of the lock-order graph: barriers that order it are told */
	FACT_STAYS = 2,		/* what is held is not ended by it */
	FACT_OWNER = 4,		/* the thread in `a`, or the holder, and its hold of the object */
	FACT_WAITERS = 8,	/* threads that wait for the object now */
	FACT_DESTROYED = 16,	/* the destroy of the object */
	FACT_KEPT_WAITING = 32, /* the newest request of the object */
	FACT_EVERYBODY = 64,	/* what all other threads hold */
	FACT_STRETCH = 128,	/* the end of what the thread did since its newest turn of a loop */
	FACT_BUSY = 256,	/* how much of it it was on the processor */
};

/*
 * True once for each key, as long as there is room in the table: for those of each `place` (where in the
 * program it is done), and for all. Where there is not, what may be new is counted as lost, without a look.
 */
bool facts_is_new(struct stream *s, uint64_t key, uint32_t place);
/* There is no room for anything new of the place. */
bool facts_are_full(struct stream *s, uint32_t place);

/*
 * Writes the fact, what its thread holds and what `context` asks for, all at the time of the
 * thread's newest record; pins the ids it names.
 */
void facts_tell(struct stream *s, const struct fact *f, unsigned context);

/* Facts of the lock-order graph so far. */
uint64_t facts_count_order(void);

/* Is the mode bounded, from the start or since the size limit was reached? */
bool facts_are_wanted(void);

/* The HELD records of a thread, HOLDS at most; what is held several times is one with a depth. */
uint32_t facts_list_held(const struct stream *s, struct fact *ret_held);

/* Fields of a record in the order of spec/events.def. */
void facts_from_fields(struct fact *f, unsigned op, uint64_t a, uint64_t b, uint64_t c);

/* One of so many threads made at its place that its life is no fact, unless it took part in one. */
bool facts_thread_churns(uint32_t thread);
void facts_thread_detached(uint32_t thread);

#endif
