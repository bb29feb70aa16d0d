/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_judge.h - can a ring of edges, each of some run, come about in one run? Between the search and the words.
 */
#ifndef THRUM_ANALYZER_FLEET_LOCKGRAPH_JUDGE_H
#define THRUM_ANALYZER_FLEET_LOCKGRAPH_JUDGE_H

#include "lockgraph.h"

#define LOCKGRAPH_LONGEST_RING 16u

struct lockgraph_ring {
	const struct lockgraph_edge
		*edge[LOCKGRAPH_LONGEST_RING]; /* each wants what the next holds */
	uint32_t count;
	bool is_hint; /* something that it takes is not certain */
};

/* Do the two fit into one run? A weak fit needs something that is not certain. */
enum lockgraph_fit { LOCKGRAPH_NEVER, LOCKGRAPH_WEAK, LOCKGRAPH_FITS };
enum lockgraph_fit lockgraph_fit(const struct lockgraph *g, const struct lockgraph_edge *x,
				 const struct lockgraph_edge *y);

/* Puts the ring into words: in lockgraph_findings.c. */
void lockgraph_report(struct lockgraph *g, const struct lockgraph_ring *ring,
		      struct finding_list *findings, size_t process);

#endif
