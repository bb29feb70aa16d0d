/* SPDX-License-Identifier: MIT */
/*
 * barrier_rounds.h - which round of a barrier an arrival belongs to, and so whose arrivals came before a leave.
 *
 * A thread that comes out late has not seen what a quicker one did before it arrived again. With one clock for all rounds it would
 * seem so, and a race between the two would be hidden. Known where as many threads use the barrier as it waits for: each takes part
 * in each round, so its own number of arrivals is the round's. In all other cases every arrival so far comes before a leave, which
 * is too much order and never too little.
 */
#ifndef THRUM_ANALYZER_BARRIER_ROUNDS_H
#define THRUM_ANALYZER_BARRIER_ROUNDS_H

#include <stddef.h>
#include <stdint.h>

struct barrier_rounds;

enum { BARRIER_ROUNDS_ANY = 2 }; /* else 0 or 1: rounds in turn */

struct barrier_rounds *barrier_rounds_new(size_t object_count);
void barrier_rounds_free(struct barrier_rounds *rounds); /* takes NULL */

/* It was initialised for `count` threads. */
void barrier_rounds_init(struct barrier_rounds *rounds, uint32_t object, uint64_t count);
unsigned barrier_rounds_arrive(struct barrier_rounds *rounds, uint32_t object, uint32_t thread);
unsigned barrier_rounds_leave(struct barrier_rounds *rounds, uint32_t object, uint32_t thread,
			      int result);
/* Events are missing: from now on nothing is known of any. */
void barrier_rounds_lost(struct barrier_rounds *rounds);

#endif
