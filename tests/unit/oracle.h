/* SPDX-License-Identifier: MIT */
/*
 * oracle.h - small random sequences for analyzer/predict, and all their reorderings, each of them tried. Knows nothing of how predictions are made.
 */
#ifndef THRUM_TESTS_UNIT_ORACLE_H
#define THRUM_TESTS_UNIT_ORACLE_H

#include "analyzer/predict/sequence.h"

enum { ORACLE_THREADS = 4, ORACLE_VARIABLES = 2, ORACLE_EVENTS = 20, ORACLE_SETS = 64 };

/* What a sequence can come to. */
struct oracle {
	const struct predict_sequence *sequence;
	uint8_t event[ORACLE_THREADS][ORACLE_EVENTS], count[ORACLE_THREADS];
	uint8_t sees[ORACLE_EVENTS],
		order[ORACLE_EVENTS]; /* order: of an acquire, among those of its lock */
	uint8_t owner[ORACLE_EVENTS + 1];
	bool keeps_sections;
	bool takes_whole; /* a read-write lock is taken and given back all at once */
	uint64_t set
		[ORACLE_SETS]; /* rings that were reached: of each thread in it the event, as bits */
	uint32_t sets;
	bool beside[ORACLE_EVENTS][ORACLE_EVENTS]; /* both could come next */
};

/* The same round gives the same numbers. */
void oracle_seed(uint64_t round);
unsigned oracle_draw(unsigned below);

/* A random sequence, into a zeroed one. Threads 0 and 1 are there, 0 forks 2, 1 forks 3; places are indices of events. `guesses`: with unknowns. */
void oracle_make(struct predict_sequence *sequence, bool guesses);
/*
 * With a mutex and a read-write lock, in parts as analyzer/recorded makes them: one of its writers and one each of threads 0 and 1, who read.
 * Who writes takes all.
 */
void oracle_make_grouped(struct predict_sequence *sequence);
/* Does it acquire? */
bool oracle_takes(const struct predict_event *event);
bool oracle_is_access(const struct predict_event *event); /* NULL = no */

/* All reorderings in which reads see what they saw; `keeps` = also critical sections stay in their order. */
void oracle_run(struct oracle *oracle, const struct predict_sequence *sequence, bool keeps);

/* The same where nobody ever has only some parts of what he writes under. */
void oracle_run_whole(struct oracle *oracle, const struct predict_sequence *sequence);
/* The first of the events in which a thread takes what this event is part of. */
size_t oracle_begin_of(const struct predict_sequence *sequence, size_t event);

#endif
