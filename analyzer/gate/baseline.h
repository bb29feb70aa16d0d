/* SPDX-License-Identifier: MIT */
/*
 * baseline.h - the findings of an earlier day: which of today's are new, known, moved, and which
 * are gone.
 *
 * File format `thrum-baseline/1`, made for review and merge: sorted, one line a finding, no times
 * or paths.
 *
 *   { "schema": "thrum-baseline/1", "findings": [
 *     {"rule": …, "fingerprint": …, "place": …, "title": …}, … ] }
 *
 * A report (`thrum-findings/1`) serves as a baseline too. A finding whose fingerprint is not known
 * but whose place is that of an entry that nothing else of today matches has moved (SARIF:
 * updated), one entry for one finding; it counts as known.
 *
 * Not thread-safe.
 */
#ifndef THRUM_ANALYZER_GATE_BASELINE_H
#define THRUM_ANALYZER_GATE_BASELINE_H

#include "../../trace/trace_diag.h"
#include "../finding.h"

#include <stdio.h>

struct baseline_entry {
	char *rule;			   /* as in the file: may be a rule of a later version */
	char *fingerprint, *place, *title; /* place and title may be NULL */
	bool matched;			   /* by baseline_apply */
};

struct baseline {
	struct baseline_entry *entry; /* owned, sorted by rule, then fingerprint */
	size_t count, capacity;
	bool is_report; /* the file was a report */
};

/*
 * Each finding once; those that a report says are suppressed are left out, as in baseline_take.
 * THRUM_EIO, or THRUM_EINVAL where the file is neither a baseline nor a report.
 */
int baseline_load(const char *path, struct baseline *ret_baseline, struct diag *diag);
/* The same from memory; `path` only names it. */
int baseline_parse(const char *path, const char *text, size_t bytes, struct baseline *ret_baseline,
		   struct diag *diag);
/* The findings of the list that are not suppressed, as a baseline. */
void baseline_take(const struct finding_list *list, struct baseline *ret_baseline);
void baseline_release(struct baseline *b);

/* Leaves out the entries of rules that are off: nobody looked whether they are gone. */
void baseline_keep_rules(struct baseline *b, const bool on[RULE_COUNT]);

/* Sets the state of each finding that is not suppressed, and `matched` of the entries. */
void baseline_apply(struct baseline *b, struct finding_list *list);

/* Writes the findings that are not suppressed as a baseline. THRUM_EIO. */
int baseline_write(const struct finding_list *list, FILE *out, struct diag *diag);

#endif
