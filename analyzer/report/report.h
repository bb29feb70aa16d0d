/* SPDX-License-Identifier: MIT */
/*
 * report.h - from a list of findings to what the sinks print: selection, order, gate, counts,
 * verdict.
 *
 * The caller fills what it knows of the run into a zeroed struct report (version, trace_path,
 * processes, program status, pruned counts, color, verbose, quiet), then calls report_build, then
 * any number of sinks.
 *
 * Verdict: untraced where the program could not be traced; findings where at least one finding is
 * listed, gated or not (the gate is `gated`, not the verdict); timeout where --timeout ended the
 * program and no finding explains that it did not end (none gated, no deadlock, self-deadlock or
 * stuck-wait that was observed); else clean.
 */
#ifndef THRUM_ANALYZER_REPORT_REPORT_H
#define THRUM_ANALYZER_REPORT_REPORT_H

#include "sink.h"

#define REPORT_FAIL_NEVER ((int)LEVEL_ERROR + 1)

struct report_options {
	int fail_on;	      /* enum level or REPORT_FAIL_NEVER */
	const bool *rules_on; /* RULE_COUNT flags, from --rules; NULL = all */
	bool timed_out;	      /* --timeout ended the program */
	bool untraced; /* nothing could be recorded; the caller sets report->incomplete_why */
};

/*
 * Call after findings_finish(). Fills findings (sorted: gated first, then new ones, level, rule,
 * fingerprint), their `gated` flags, counts, complete, incomplete_why where the caller left it
 * NULL, and the verdict. Memory comes from `list`, which must outlive the report. Findings of rules
 * that are off are left out everywhere.
 */
void report_build(struct report *report, struct finding_list *list,
		  const struct report_options *options);

/* What was seen and lost, summed over the report's processes. */
struct report_totals {
	uint64_t threads, locks, events;
	uint64_t lost_events, lost_chunks, lost_defs;
};

struct report_totals report_sum(const struct report *report);

#endif
