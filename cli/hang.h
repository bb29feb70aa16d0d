/* SPDX-License-Identifier: MIT */
/*
 * hang.h - how --timeout and --end-on-hang end a program that is still alive: look at it, then end it as it stands.
 *
 * The end is SIGKILL: a catchable signal would run handlers and wake threads, and the state that explains the hang would
 * be gone. The trace survives it.
 *
 * What belongs to the program
 *  - the program and everything below it;
 *  - every process that has a map file of this trace mapped, or this run's THRUM_OPTIONS in its environment, wherever a
 *    daemon's double fork has put it, and everything below that;
 * and in each case was started after the program. A process is held by a descriptor before it is judged, so that a number
 * that is given out again means nobody else.
 */
#ifndef THRUM_CLI_HANG_H
#define THRUM_CLI_HANG_H

#include "../trace/trace_diag.h"

#include <sys/types.h>

/*
 * Samples (hang_sample.h) and kills. `dir` and `settings` (the value of THRUM_OPTIONS) are NULL where nothing is
 * recorded. Best effort; `diag` carries the first failure to write a sample, the kills happen anyway.
 */
int hang_end(const char *dir, const char *settings, pid_t program, struct diag *diag);

#endif
