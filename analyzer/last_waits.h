/* SPDX-License-Identifier: MIT */
/*
 * last_waits.h - where the threads and tasks of a run stood when it was ended: for a report that has to say why nothing went on,
 * and has no finding that does.
 *
 * Of each image that was alive then one struct finding, which is none: its stacks are the waits of its threads in recorded calls and
 * those of its tasks at the newest look, each with a note of who waits for what ("thread 2 \"pool\" waits for"; the lock, where there is one,
 * follows). Threads that ran, or were in no recorded call, are not there, nor is what exceeds a thousand.
 */
#ifndef THRUM_ANALYZER_LAST_WAITS_H
#define THRUM_ANALYZER_LAST_WAITS_H

#include "../trace/trace_reader.h"
#include "finding.h"

/* Adds to the list, without symbols; symbolize_findings() gives them. After one full pass of the reader. */
void last_waits_collect(const struct trace_reader *reader, struct finding_list *ret_list);

#endif
