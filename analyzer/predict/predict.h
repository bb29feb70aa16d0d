/* SPDX-License-Identifier: MIT */
/*
 * predict.h - deadlocks that did not happen in a sequence, and which of them a reordering of it reaches.
 *
 * After "Sound Dynamic Deadlock Prediction in Linear Time" (Tunc, Mathur, Pavlogiannis, Viswanathan, PLDI 2023). For each pattern
 * (patterns.h) it is asked, strongest first:
 *
 *   proven      a sync-preserving reordering of the sequence ends in it: all critical sections that it contains in the recorded order,
 *               all reads as recorded. A witness is attached, and was played by its own rules before it is given out. Needs reads
 *               and writes in the sequence: what a lock-only one cannot see may keep the threads apart.
 *   observed    the sequence ends in it: each of the threads has requested what the next one has.
 *   unordered   fork, join and notifications leave the threads free to meet there; but what was read, or the order of critical
 *               sections, speaks against it in this very run.
 *   ordered     cannot happen: only counted.
 *
 * Patterns of the same places are one deadlock. Deterministic.
 *
 * What is not needed is not done: where locks have an order, one look at each event, of which a digest is kept (digest.h). All witnesses
 * are made and played together at the end.
 */
#ifndef THRUM_ANALYZER_PREDICT_PREDICT_H
#define THRUM_ANALYZER_PREDICT_PREDICT_H

#include "patterns.h"
#include "witness.h"

struct predict_options {
	unsigned
		ignore; /* enum predict_ignore: for comparison with tools that know no better; nothing is proven then */
	uint64_t budget;  /* of the search for patterns, in steps of about 5 ns; 0 = default */
	uint32_t spacing; /* of learn_log.h, for tests; 0 = default */
};

struct predict_deadlock {
	uint32_t length;
	uint32_t acquire[PATTERN_MOST]; /* each wants what the next one's thread holds */
	uint64_t patterns;		/* with these places */
	bool observed, proven;
	struct witness witness; /* of a proven one */
};

struct predict_counts {
	struct patterns_stats graph;
	uint32_t edges, components;   /* of the lock order: different ones; circles */
	uint64_t nested;	      /* acquires under another lock */
	uint64_t abstracts, patterns; /* in circles */
	uint64_t ordered;	      /* patterns, like the next three */
	uint64_t unproven;
	uint64_t reachable; /* by reorderings in which what reads saw does not matter */
	uint64_t proven;
	uint64_t observed;
	uint64_t refused; /* whose witness did not play: a defect of ours, always 0 */
};

struct predict_result {
	struct acquires acquires;
	struct predict_deadlock *deadlock; /* owns; in the order of the sequence */
	size_t count, capacity;
	struct predict_counts counts;
};

struct predictor;

struct predictor *predictor_new(const struct predict_options *options);
void predictor_free(struct predictor *predictor); /* takes NULL */

/* Hears of a sequence's events from the first one on: see struct predict_listener. `predictor` is a struct predictor. */
void predictor_hear(void *predictor, const struct predict_sequence *sequence,
		    const struct predict_event *event, size_t count, size_t first);

/* After the last one, once. Release the result also after a failure: THRUM_EFORMAT where there are 4 G events or more. */
int predictor_finish(struct predictor *predictor, const struct predict_sequence *sequence,
		     struct predict_result *ret_result, struct diag *diag);

/* All of the above for a sequence whose events were kept. `options` may be NULL. */
int predict_deadlocks(const struct predict_sequence *sequence,
		      const struct predict_options *options, struct predict_result *ret_result,
		      struct diag *diag);
void predict_result_release(struct predict_result *result);

#endif
