/* SPDX-License-Identifier: MIT */
/*
 * witness.h - the run that ends in a deadlock: of each thread its events up to one of them, in the order of the sequence.
 */
#ifndef THRUM_ANALYZER_PREDICT_WITNESS_H
#define THRUM_ANALYZER_PREDICT_WITNESS_H

#include "closure.h"

enum { WITNESS_STEPS = 12 }; /* of the end that are kept */

/* A thread does its next `count` events, from one at `first` to one at `last`, places; nobody else does anything. */
struct witness_step {
	uint32_t thread;
	uint32_t first, last;
	size_t count;
};

/* Zeroed = none. */
struct witness {
	uint32_t length; /* of the ring that it ends in */
	uint32_t acquire[PATTERN_MOST];
	uint32_t *in; /* owns; by thread: its moments up to this one */
	uint32_t *
		end; /* owns; by thread: its events of the sequence before this one; by witnesses_play */
	size_t events;
	struct witness_step step[WITNESS_STEPS]; /* the last ones */
	uint32_t steps;
	bool holds;
};

/* The part that closure_find has found, and the acquires before which it ends. */
void witness_init(const struct closure *closure, const uint32_t *acquire, uint32_t count,
		  struct witness *ret_witness);
void witness_release(struct witness *witness);

/*
 * Independent of how it was found: is each a correct reordering of the sequence (locks of one thread at a time, reads that see the same
 * writes, forks and joins kept, no wait that ends without a notification), and does each acquire of its ring come next in its thread, for
 * a lock that the thread of the next one holds then? Says so in witness->holds, and fills in where its threads end and how many events of the digest it has. One pass for 64 of them.
 */
void witnesses_play(const struct digest *digest, const struct predict_sequence *sequence,
		    const struct acquires *acquires, struct witness *const *witness, size_t count);

/*
 * From where their threads end, the steps. Of all events where the sequence has kept them, which are counted anew then; else of those of
 * locks and threads, with which the reads and writes between them go.
 */
void witnesses_tell(const struct digest *digest, const struct predict_sequence *sequence,
		    struct witness *const *witness, size_t count);

#endif
