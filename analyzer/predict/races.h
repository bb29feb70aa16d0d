/* SPDX-License-Identifier: MIT */
/*
 * races.h - accesses of one variable by two threads, one of them a write, that nothing in a sequence orders.
 *
 * Exact by definition, not only for the first race of a variable: an event races if some access before it conflicts with it and is
 * not ordered before it. FastTrack's epochs where the accesses of a variable are ordered; where they are not, those that none of the
 * others is ordered after. fasttrack.h is the same for memory of programs, where bytes overlap and atomics exist.
 *
 * Two orders:
 *  - RACES_HB: locks, fork, join, notifications. The first race of a run could have happened; later ones may be due to it.
 *  - RACES_SHB: also each write before the reads that see it ("What Happens-After the First Race?", Mathur, Kini, Viswanathan, OOPSLA
 *    2018). Each race could have happened.
 *
 * Nothing is kept of an event: memory is that of threads, locks and variables.
 */
#ifndef THRUM_ANALYZER_PREDICT_RACES_H
#define THRUM_ANALYZER_PREDICT_RACES_H

#include "sequence.h"

enum races_order { RACES_HB, RACES_SHB };

struct race_access {
	uint32_t thread;
	uint32_t own; /* entry of its thread's clock */
	uint32_t place;
};

struct races_counts {
	uint64_t events; /* that race with an access before them */
	uint32_t places; /* of such events */
	uint32_t variables;
};

/* Called for each pair of `event`, the one with this index, and an access before it; may be NULL. */
typedef void (*races_visit)(void *cookie, const struct race_access *before, bool before_writes,
			    const struct predict_event *event, size_t index);

struct races;

struct races *races_new(enum races_order order, races_visit visit, void *cookie);
void races_free(struct races *races); /* takes NULL */

/* Hears of a sequence's events from the first one on: see struct predict_listener. `races` is a struct races. */
void races_hear(void *races, const struct predict_sequence *sequence,
		const struct predict_event *event, size_t count, size_t first);

/* Those so far. */
struct races_counts races_count(const struct races *races);

/* All of the above for a sequence whose events were kept. */
void races_find(const struct predict_sequence *sequence, enum races_order order, races_visit visit,
		void *cookie, struct races_counts *ret_counts);

#endif
