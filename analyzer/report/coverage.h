/* SPDX-License-Identifier: MIT */
/*
 * coverage.h - how much of the memory that threads share was looked at: without it "no findings" says nothing of races.
 *
 * A process has up to three parts: what watchpoints watched, what a ThreadSanitizer build recorded, what --python-races watched.
 * In JSON they are the same object for a process (and in thrum-info), and summed for a report.
 */
#ifndef THRUM_ANALYZER_REPORT_COVERAGE_H
#define THRUM_ANALYZER_REPORT_COVERAGE_H

#include "sink.h"

#include <jansson.h>

/* Why memory was not watched, or not to the end; NULL = it was. */
const char *coverage_why(const struct tf_def_watches *w);

/* Why --races=deep is no more, or has never been, than auto; NULL = it is, or was not asked for. */
const char *coverage_shallow(const struct tf_def_watches *w);

/* "memory watched 12 times at 5 instructions, met by a second thread 0 times"; "" = nothing is known of any. */
const char *coverage_words(const struct report_process *process, size_t count, char *buffer,
			   size_t bytes);

/* The counts of watchpoints; of one process, and summed with how many processes they are of. NULL = nothing known. */
json_t *coverage_watched_json(const struct tf_def_watches *w);
json_t *coverage_process_json(const struct trace_process *p);
json_t *coverage_report_json(const struct report *report);

/* What coverage_process_json wrote, into `p`, with memory of `list`. `value` may be of any type, or NULL. */
void coverage_read(const json_t *value, struct finding_list *list, struct trace_process *p);

/* By what they say: < 0, 0, > 0. */
int coverage_compare(const struct trace_process *a, const struct trace_process *b);

#endif
