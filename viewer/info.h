/* SPDX-License-Identifier: MIT */
/*
 * info.h - what a trace holds and what it lacks: per process command, threads, locks, events of
 * each kind, bytes, losses.
 *
 * Counts are made by reading every event once, not taken from counters of the recorder: they say
 * what an analysis will see. Text for people, or JSON with schema "thrum-info/1" for machines.
 * Unknown values are left out.
 */
#ifndef THRUM_VIEWER_INFO_H
#define THRUM_VIEWER_INFO_H

#include "../trace/trace_reader.h"

#include <stdio.h>

struct info_options {
	bool json;
	bool modules; /* text: list the modules too; JSON always has them */
};

/* 0, THRUM_EIO when `out` failed, THRUM_ENOMEM, or an error of the reader. Does not close `out`. */
int info_write(struct trace_reader *reader, const struct info_options *options, FILE *out,
	       struct diag *diag);

#endif
