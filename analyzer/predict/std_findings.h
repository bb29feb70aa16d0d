/* SPDX-License-Identifier: MIT */
/*
 * std_findings.h - what can be said of a sequence, as findings: deadlocks that it ends in, deadlocks that a reordering reaches or may
 * reach, races.
 *
 * There is no program behind a sequence: names are the trace's words, and a place of it stands where a function stands otherwise.
 */
#ifndef THRUM_ANALYZER_PREDICT_STD_FINDINGS_H
#define THRUM_ANALYZER_PREDICT_STD_FINDINGS_H

#include "../finding.h"
#include "predict.h"

struct std_summary {
	uint64_t events, threads, locks;
	uint64_t ordered; /* rings that fork, join and notifications rule out */
	bool spent;	  /* the search for rings was given up: there may be more */
};

struct std_findings;

/*
 * Hears of `sequence`, which has no events yet and keeps none. Races are appended to `list` as they come, the rest at the end; all of process
 * `process`. `rules_off` has a bit per enum rule.
 */
struct std_findings *std_findings_new(struct predict_sequence *sequence, uint64_t rules_off,
				      size_t process, struct finding_list *list);
/* After the last event. */
int std_findings_finish(struct std_findings *findings, struct std_summary *ret_summary,
			struct diag *diag);
void std_findings_free(struct std_findings *findings); /* takes NULL */

#endif
