/* SPDX-License-Identifier: MIT */
/*
 * export.h - a trace in the forms that other programs read: a writer for each row of spec/exports.def.
 *
 * Writers stream: what they keep grows with threads, locks and places, not with events, but where their header says so. The same trace
 * gives the same bytes. Everything from the trace is escaped as the form has it.
 */
#ifndef THRUM_VIEWER_EXPORT_H
#define THRUM_VIEWER_EXPORT_H

#include "../analyzer/finding.h"
#include "../analyzer/symbolize.h"
#include "../trace/trace_reader.h"

#include <stdio.h>

struct scan_options;

enum export_time { EXPORT_TIME_WAIT, EXPORT_TIME_HOLD, EXPORT_TIME_STALL };

struct export_source {
	struct trace_reader *reader; /* borrowed */
	/* The frames of a stack, innermost first; false = not known. Valid until the next call. */
	bool (*frames)(void *context, size_t process, uint32_t stack, uint64_t time_ns,
		       struct frames *ret_frames);
	/* Name of a data address, as symbols_resolve_data(); NULL = unknown. The pointer may be NULL. */
	const char *(*data)(void *context, size_t process, uint64_t address, uint64_t time_ns);
	void *context;
	const struct scan_options *
		scan; /* when the run was over, and who is told how far a pass is; NULL = neither */
	enum export_time time; /* folded: which */
	uint64_t stall_ns;     /* callbacks that took longer held up their loop; 0 = 100 ms */
	/* Where modules and debug files are, for writers that symbolise by themselves; NULL = here. */
	const struct symbolize_options *symbolize;
	/* What the findings that are shown beside it call locks without a name; NULL = there are none. */
	const struct lock_labels *labels;
};

/* Writes all processes of the trace to `out`, and does not close it. 0, THRUM_EIO, or an error of the reader. */
typedef int export_writer(const struct export_source *source, FILE *out, struct diag *diag);

export_writer export_std_write;
export_writer export_dot_write;
export_writer export_folded_write;
export_writer export_perfetto_write; /* keeps the packed timeline: about ten bytes a span */
export_writer export_chrome_write;   /* the same */
export_writer export_lockgraph_write;

#endif
