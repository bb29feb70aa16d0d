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

/* Called for each pair of `event`, an index, and an access before it; may be NULL. */
typedef void (*races_visit)(void *cookie, uint32_t variable, const struct race_access *before,
			    bool before_writes, size_t event);

void races_find(const struct predict_sequence *sequence, enum races_order order, races_visit visit,
		void *cookie, struct races_counts *ret_counts);

#endif
