/* SPDX-License-Identifier: MIT */
/*
 * hang.h - what --timeout does to a program that is still alive: look at it, then end it as it stands.
 *
 * The end is SIGKILL: a catchable signal would run handlers and wake threads, and the state that explains the hang would
 * be gone. The trace survives it.
 */
#ifndef THRUM_CLI_HANG_H
#define THRUM_CLI_HANG_H

#include "../trace/trace_diag.h"

#include <sys/types.h>

/*
 * Writes DIR/PID.sample.json (schema thrum-sample/1: every thread's comm, wchan, syscall, status, stat as /proc shows
 * them) for the program `pid` and each of its recorded processes that is alive, then kills them.
 *
 * A pid found in the trace is touched only where that process is in thrum's session and still has the trace's own file
 * mapped: then it is the recorded process and no other that got its number. Best effort; `diag` carries the first
 * failure to write a sample, the kills happen anyway.
 */
int hang_end(const char *dir, pid_t pid, struct diag *diag);

#endif
