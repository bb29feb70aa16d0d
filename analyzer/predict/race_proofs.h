/* SPDX-License-Identifier: MIT */
/*
 * race_proofs.h - races that the order of a run hides: two accesses that only locks put one after the other, and before both of which a
 * sync-preserving reordering of the sequence can stand ("Optimal Prediction of Synchronization-Preserving Races", Mathur, Pavlogiannis,
 * Viswanathan, POPL 2021).
 *
 * To stand before two accesses at once is to be deadlocked in locks that two threads take right before them, in opposite orders. So such
 * locks are put before them, a pair for each two threads that share a variable, and predict.h is told of the sequence with these and asked: it has the
 * search, the witness and its play. Locks that both hold rule it out by themselves.
 *
 * Of the accesses of one place, thread and variable the first and the last ones are looked at.
 */
#ifndef THRUM_ANALYZER_PREDICT_RACE_PROOFS_H
#define THRUM_ANALYZER_PREDICT_RACE_PROOFS_H

#include "predict.h"

struct race_proof {
	uint32_t event[2];	/* of the sequence: what each thread does next */
	uint64_t count;		/* pairs of threads and variables with these places */
	uint64_t events_before; /* of the witness, before the first step */
	uint32_t steps;
	struct witness_step step[WITNESS_STEPS];
};

/* One of each pair of places. */
typedef void (*race_proofs_visit)(void *cookie, const struct race_proof *proof);

/* `is_atomic` by place: two such accesses do not race. May be NULL. */
int race_proofs_find(const struct predict_sequence *sequence, const bool *is_atomic,
		     race_proofs_visit visit, void *cookie, struct diag *diag);

#endif
