/* SPDX-License-Identifier: MIT */
/*
 * sink.h - one interface for every report format. A sink only formats: it never sorts, drops,
 * symbolises or decides.
 *
 * Output is deterministic for the same report; no wall-clock times. Paths appear as the trace has
 * them.
 */
#ifndef THRUM_ANALYZER_REPORT_SINK_H
#define THRUM_ANALYZER_REPORT_SINK_H

#include "../../trace/trace_reader.h"
#include "../finding.h"

#include <stdio.h>

enum verdict { VERDICT_CLEAN, VERDICT_FINDINGS, VERDICT_TIMEOUT, VERDICT_UNTRACED };

struct report_process {
	const struct trace_process *process; /* borrowed */
	bool has_exit;
	int exit_status;	 /* valid with has_exit: exit code, or 128+N */
	const char *const *argv; /* borrowed; NULL = unknown, sinks then show process->command */
	size_t argc;
	uint64_t threads,
		locks; /* of a report that was read back, whose process has no tables; else 0 */
};

/* A program that a recorded process started and that did not record itself. */
struct report_unrecorded {
	uint32_t pid;
	const char *path; /* borrowed */
	const char *why;  /* NULL = the file says nothing about it */
};

/* What was known before and was not found now. */
struct report_gone {
	const char *rule, *fingerprint, *title; /* borrowed; title NULL = not known */
};

struct report;

/*
 * What the viewer adds to the HTML page where the trace is at hand: its style, screens behind the findings, data, and the script that
 * makes screens of all that. Without it the page is findings, and no script.
 */
struct report_view {
	void *cookie;
	const char *style, *script;
	bool is_served; /* the script may ask the server that sent the page */
	/* What only the trace tells of a finding, on its page. */
	void (*finding)(void *cookie, const struct report *report, const struct finding *f,
			FILE *out);
	void (*screens)(void *cookie, const struct report *report, FILE *out);
	/* One script element, before the script. */
	int (*data)(void *cookie, const struct report *report, FILE *out, struct diag *diag);
	void (*parts)(void *cookie, FILE *out); /* more of them, behind the script; NULL = none */
};

/* Everything a sink may say. Findings are sorted: gated first, then new ones, by level, rule, fingerprint. */
struct report {
	const char *version;
	const char *trace_path; /* one trace, or several as words; NULL = none */
	/* Of several: sorted, each once. */
	const char *const *trace_paths;
	size_t trace_path_count;
	/* Why runs could not be recorded at all: sorted, each once. */
	const char *const *untraced;
	size_t untraced_count;
	const char
		*source_root; /* absolute; paths below it are shown relative to it. NULL = none */
	const char *
		rules_uri; /* where the rules' pages are, ends with a slash; NULL = where the build says */
	enum verdict verdict;
	bool has_program_status;
	int program_status;	    /* as a shell would show it */
	bool complete;		    /* all processes complete */
	const char *incomplete_why; /* NULL when complete */
	struct report_process *processes;
	size_t process_count;
	struct report_unrecorded *unrecorded;
	size_t unrecorded_count;
	struct finding **findings;
	size_t finding_count;
	/*
	 * The first so many are shown to people: not what a suppression hides or the baseline knows,
	 * unless the report is verbose. Formats for machines carry all, with their state.
	 */
	size_t listed_count;
	struct finding_list *last_waits; /* last_waits.h, with symbols; NULL = the program ended */
	unsigned gated, errors, warnings, notes, suppressed, baseline;
	unsigned stale; /* suppressions that are unused or expired, where that fails the run */
	/* Cycles that cannot happen, by reason, for --verbose: parallel arrays. */
	const char **pruned_reason;
	uint64_t *pruned_count;
	size_t pruned_kinds;
	bool color; /* text on a terminal */
	bool verbose;
	bool quiet;			/* text: only the findings' first lines */
	const struct report_view *view; /* html; NULL = findings only */
	const char *compared_with;	/* what the findings' states are against; NULL = nothing */
	const struct report_gone *gone; /* borrowed; of what it had */
	size_t gone_count;
	bool is_ungated; /* nothing could fail the run: not worth a word */
};

struct sink_ops {
	const char *format; /* "text", "json", "html", … as on the command line */
	const char *help;
	/* Writes the whole report; returns 0 or a negative enum thrum_error. Never closes `out`. */
	int (*write)(const struct report *report, FILE *out, struct diag *diag);
};

/* NULL-terminated table of all formats, and the one named `format` (NULL = unknown). */
extern const struct sink_ops *const sink_table[];
const struct sink_ops *sink_find(const char *format);

#endif
