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
#include "../trace/trace_reader.h"

#include <stdio.h>

struct export_source {
	struct trace_reader *reader; /* borrowed */
	/* The frames of a stack, innermost first; false = not known. Valid until the next call. */
	bool (*frames)(void *context, size_t process, uint32_t stack, uint64_t time_ns,
		       struct frames *ret_frames);
	void *context;
};

/* Writes all processes of the trace to `out`, and does not close it. 0, THRUM_EIO, or an error of the reader. */
typedef int export_writer(const struct export_source *source, FILE *out, struct diag *diag);

export_writer export_std_write;

#endif
