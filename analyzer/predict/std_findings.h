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

/* Appends to `list`, all of process `process`. `rules_off` has a bit per enum rule. */
int std_findings_collect(const struct predict_sequence *sequence, uint64_t rules_off,
			 size_t process, struct finding_list *list, struct std_summary *ret_summary,
			 struct diag *diag);

#endif
