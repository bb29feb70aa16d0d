/* SPDX-License-Identifier: MIT */
/*
 * progress.h - how far a long job is: a line on standard error that is drawn over itself, where that is a terminal and the job takes longer than a
 * second; nothing elsewhere.
 */
#ifndef THRUM_CLI_PROGRESS_H
#define THRUM_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* "reading events"; borrowed */
	uint64_t began_ns, drawn_ns;
	bool is_wanted, is_drawn;
};

/* `quiet`: never draw. */
void progress_begin(struct progress *progress, const char *what, bool quiet);
/* `cookie` is a struct progress; `total` 0 = nothing to do, UINT64_MAX = not known, then only `done` is shown. Fits where a pass tells how far it is. */
void progress_tell(void *cookie, uint64_t done, uint64_t total);
/* The same, and go on. */
bool progress_tell_on(void *cookie, uint64_t done, uint64_t total);
/* Wipes the line. May be called twice. */
void progress_end(struct progress *progress);

#endif
