/* SPDX-License-Identifier: MIT */
/*
 * run_union.h - the second look at a run: the images that share locks, or that hang on each other,
 * as if they were one process.
 *
 * After every image was analysed alone, run_union_analyze decides from the definitions which images
 * matter: those that share a lock, semaphore, … with another one; and where something waits at the
 * end across the border of its process, all that are still alive. For these it makes one table of
 * threads, objects and stacks (run_processes.h), feeds their events in run time through one model,
 * and runs the checkers of waits and of lock order on it. fork is the creation of the child's main
 * thread, a successful wait for a child joins all its threads. The checkers leave out what lies in
 * one process, it was found before; findings then get their ids back from their processes.
 *
 * Runs whose processes share nothing and hang nowhere cost a look at the definitions.
 *
 * Not thread-safe.
 */
#ifndef THRUM_ANALYZER_RUN_UNION_H
#define THRUM_ANALYZER_RUN_UNION_H

#include "analyze.h"
#include "run_processes.h"

/* Adds findings that span processes. Fails as the reader does. */
int run_union_analyze(struct trace_reader *reader, const struct analyze_options *options,
		      struct finding_list *findings, struct diag *diag);

/* ---- its parts ---- */

/* The united process and what it was made of. */
struct run_union {
	struct run_processes run;
	struct trace_process process; /* owns its tables */
};

/* run_pick.c: fills `run` with the images that matter; none = count 0. */
void run_union_pick(const struct trace_reader *reader, struct run_processes *run);

/* run_tables.c: the tables of the united process, and each image's way there. */
void run_union_tables(struct run_union *u);
void run_union_release(struct run_union *u);

/* run_feed.c: every event of all images, in run time, translated. 0 or an error of the reader. */
struct run_sink {
	void *cookie;
	void (*event)(void *cookie, const struct trace_event *event);
};
int run_union_feed(struct run_union *u, struct trace_reader *reader, const struct run_sink *sink,
		   struct diag *diag);

/* run_findings.c: from finding `first` on, united ids become small numbers and places in processes. */
void run_union_translate(const struct run_union *u, struct finding_list *findings, size_t first);

#endif
