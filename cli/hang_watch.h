/* SPDX-License-Identifier: MIT */
/*
 * hang_watch.h - --hang-after: notices, while the program runs, that threads in a wait make no progress, and says why.
 *
 * Cheap as long as nothing hangs: a glance at the wait slots (trace_look.h) every few hundred milliseconds. Only where
 * threads have been in the same wait for the whole time, and the kind of their waits can close a cycle, is the trace
 * analysed: in a child of thrum, with low priority and a limit on memory, so that a trace of many gigabytes or a defect of
 * the analysis hurts neither the program nor thrum. The child prints the report to standard error.
 *
 * Invariants
 *  - Nothing is reported that moved: see hang_report.h.
 *  - Each fingerprint is reported once.
 *  - The same set of stuck threads is analysed once; between two analyses at least ten times as long passes as the last
 *    one took.
 *  - Nothing is sent to the program or written into its trace.
 */
#ifndef THRUM_CLI_HANG_WATCH_H
#define THRUM_CLI_HANG_WATCH_H

#include "options.h"

struct hang_watch;

/* `dir` and `options` are borrowed. NULL when memory is out. */
struct hang_watch *hang_watch_new(const char *dir, const struct options *options);

/* Ends an analysis that is under way. Takes NULL. */
void hang_watch_free(struct hang_watch *watch);

/* When to call hang_watch_look again, on launch_now_ns's clock. */
uint64_t hang_watch_next_ns(const struct hang_watch *watch);

/* One look. Returns true when a hang was reported since the last call. */
bool hang_watch_look(struct hang_watch *watch);

#endif
