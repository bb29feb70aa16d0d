/* SPDX-License-Identifier: MIT */
/*
 * witness.h - the run that ends in a deadlock, as steps: which thread goes on, from which event to which.
 */
#ifndef THRUM_ANALYZER_PREDICT_WITNESS_H
#define THRUM_ANALYZER_PREDICT_WITNESS_H

#include "closure.h"

/* Steps come in the order of the sequence. A thread does its next `count` events, the first and the last of which are these of the sequence; nobody else does anything. */
struct witness_step {
	uint32_t thread;
	size_t first, last, count;
};

/* Zeroed = empty. */
struct witness {
	struct witness_step *step; /* owns */
	size_t count, capacity;
	size_t events;
};

/* The part that closure_find has found, in the order of the sequence. */
void witness_make(const struct closure *closure, const uint32_t *acquire, uint32_t count,
		  struct witness *ret_witness);
void witness_release(struct witness *witness);

/*
 * Independent of how it was found, in one pass: is the witness a correct reordering of the sequence (prefixes of threads, locks of one thread at a
 * time, in the order of the sequence, reads that see the same writes, forks and joins kept, no wait that ends without a notification), and does each of the
 * `acquire` come next in its thread, for a lock that the thread of the next one holds then?
 */
bool witness_holds(const struct predict_sequence *sequence, const struct acquires *acquires,
		   const struct witness *witness, const uint32_t *acquire, uint32_t count);

#endif
