/* SPDX-License-Identifier: MIT */
/*
 * hang_sample.h - what /proc shows of a process, written beside its trace.
 */
#ifndef THRUM_CLI_HANG_SAMPLE_H
#define THRUM_CLI_HANG_SAMPLE_H

#include "../trace/trace_diag.h"

#include <sys/types.h>

/*
 * Writes DIR/PID.sample.json, schema thrum-sample/1: of every thread comm, wchan, syscall, status, stat as they are in
 * /proc, and which pipes and sockets are open under which descriptor numbers. A process that is gone makes no file.
 */
int hang_sample_write(const char *dir, pid_t pid, struct diag *diag);

#endif
