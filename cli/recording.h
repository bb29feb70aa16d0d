/* SPDX-License-Identifier: MIT */
/*
 * recording.h - one run of a program under the recorder, from the command line to its end: for run, record and confirm.
 */
#ifndef THRUM_CLI_RECORDING_H
#define THRUM_CLI_RECORDING_H

#include "../analyzer/hookable.h"
#include "../trace/trace_steer.h"
#include "launch.h"
#include "options.h"
#include "run_json.h"

struct recording {
	const struct options *options;	/* borrowed */
	const struct steer_plan *steer; /* borrowed; NULL = the threads go as they like */
	char *dir;			/* owns: absolute path of the trace, NULL while untraced */
	char *preload, *settings;	/* own */
	char *library_path;		/* owns; NULL = as it is */
	char *asan_options;		/* owns; NULL = as they are */
	char *tsan_options;		/* the same */
	enum hookable_tsan tsan;
	char untraced[1280]; /* why nothing is recorded, "" = it is */
	struct launch launch;
	struct run_facts facts;
};

/* Runs the program; returns 0 when it ran and `r` says how it ended, else the exit status. recording_release in both cases. */
int recording_make(struct recording *r);
void recording_release(struct recording *r);

#endif
