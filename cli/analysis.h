/* SPDX-License-Identifier: MIT */
/*
 * analysis.h - from trace directories to reports and an exit status: the second half of run, the whole of check.
 */
#ifndef THRUM_CLI_ANALYSIS_H
#define THRUM_CLI_ANALYSIS_H

#include "../analyzer/report/report.h"
#include "gate.h"
#include "inputs.h"
#include "options.h"

struct before;
struct page;

enum analysis_job { ANALYSIS_FINDINGS, ANALYSIS_PAGE, ANALYSIS_JOBS };

/* Who follows an analysis and shows the page of the trace, which is to be the only input. */
struct analysis_show {
	/* Before anything is read of it. Not 0 = nothing is. */
	int (*opened)(void *cookie, const struct trace_reader *reader, struct diag *diag);
	/* About every million events, on the thread of the job; false = stop. */
	bool (*progress)(void *cookie, enum analysis_job job, uint64_t done, uint64_t total);
	/* After the reports. Returns an exit status. */
	int (*show)(void *cookie, struct page *page, const struct report *report);
	void *cookie;
};

/* What the caller knows of the run; zeroed = nothing, then run.json of the traces says it. */
struct analysis_input {
	char **traces; /* borrowed */
	size_t trace_count;
	bool has_program_status;
	int program_status;
	bool timed_out;
	const char *untraced_why; /* NULL = traced; else why not, and there are no traces */
	struct gate *gate;	  /* borrowed, for one analysis_run; merge needs none */
	struct before *before; /* borrowed: what pages compare with; NULL = what --baseline says */
	/* Changes what was found, before it is gated; NULL = nothing is to be changed. */
	void (*mark)(void *cookie, struct finding_list *findings);
	void *cookie;
	const struct analysis_show *show; /* borrowed; NULL = nobody is shown anything */
	FILE *text_out;			  /* where a text report goes when --format was not given */
};

/*
 * Analyses, symbolises, writes the report of --format and those of --report. Returns the exit status that the contract
 * gives to the outcome: the program's own where nothing gates and it is known, else 0.
 */
int analysis_run(const struct options *options, const struct analysis_input *input);

/*
 * Reads the files of --suppressions and --baseline, once, since one may be a pipe; and can those of --report be
 * written? Before a long run, not after it. Says what is wrong; STATUS_USAGE or 0. gate_release in both cases.
 */
int analysis_open_files(const struct options *options, struct gate *ret_gate);

/* The report of what was loaded; memory comes from inputs->findings. The gate must have been applied. */
void analysis_make_report(const struct options *options, const struct inputs *inputs,
			  const struct analysis_input *input, struct report *ret_report);

/* Shall text on `out` be coloured? */
bool color_is_wanted(enum color mode, FILE *out);

#endif
