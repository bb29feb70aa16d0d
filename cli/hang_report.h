/* SPDX-License-Identifier: MIT */
/*
 * hang_report.h - analyses a trace that is being written and reports the hangs in it that are beyond doubt.
 *
 * A trace that moves while it is read shows threads at different moments, so what the analysis finds is only a
 * suspicion. It is reported where
 *  - the rule is deadlock, self-deadlock, stuck-wait or fork-with-lock-held, and it is observed;
 *  - every thread that the finding shows waiting was in this very wait before the analysis began, has been since
 *    --hang-after, is still a second look later, and exists;
 *  - where anybody might end one of its waits (condition variables, semaphores, ... and every stuck-wait), all threads of
 *    the processes it concerns made no step in between; where it spans processes, those of all.
 */
#ifndef THRUM_CLI_HANG_REPORT_H
#define THRUM_CLI_HANG_REPORT_H

#include "../trace/trace_look.h"
#include "options.h"

struct hang_fingerprint {
	char hex[33];
};

/* What was reported already. Zeroed before use. */
struct hang_known {
	struct hang_fingerprint *fingerprints; /* owned */
	size_t count, capacity;
};

/* False where it was there, or memory is out. */
bool hang_known_add(struct hang_known *known, const struct hang_fingerprint *fingerprint);
void hang_known_release(struct hang_known *known);

/* Threads that have been in one wait for the time of --hang-after. */
struct hang_stuck {
	struct trace_look_entry *entries; /* owned by the caller */
	size_t count;
};

/*
 * Prints what is new to standard error and writes its fingerprints to `fd`. For a child process of its own: memory is
 * not given back.
 */
void hang_report(const char *dir, const struct options *options, const struct hang_stuck *stuck,
		 const struct hang_known *known, int fd);

#endif
