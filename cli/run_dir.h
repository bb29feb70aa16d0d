/* SPDX-License-Identifier: MIT */
/*
 * run_dir.h - the directory a trace lives in: made private, the old one kept, nothing of other people's touched.
 *
 * A directory counts as a trace when every entry in it has a name that thrum gives (PID.N.map, PID.N.events, PID.N.memory,
 * PID.sample.json, run.json) and there is at least one; only such a directory is ever moved or removed.
 */
#ifndef THRUM_CLI_RUN_DIR_H
#define THRUM_CLI_RUN_DIR_H

#include "../trace/trace_diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Makes the directory `path` with mode 0700, ready for a new recording: a trace that is there moves to PATH.old, and
 * the trace that was at PATH.old is removed; an empty directory of ours is used as it is. Fails with THRUM_EINVAL where
 * something that is not a trace is in the way or another thrum records there, THRUM_EIO. The directory is locked until this
 * process ends. `ret_path` is absolute, without symbolic links; the caller
 * frees it.
 */
int run_dir_create(const char *path, char **ret_path, struct diag *diag);

/* Removes the directory again where the program never started and it is empty. */
void run_dir_discard(const char *path);

/*
 * Pids of the processes that recorded themselves into `path`, each once, ascending. The caller frees `ret_pids`;
 * returns their number or a negative THRUM_E…
 */
ssize_t run_dir_pids(const char *path, pid_t **ret_pids, struct diag *diag);

/* Is that a name that thrum gives to a file of a trace? A temporary of run_dir_write counts too. */
bool run_dir_is_trace_file(const char *name);

/* Writes `bytes` of `text` to `path`/`name` so that a reader sees the old file or the whole new one. */
int run_dir_write(const char *path, const char *name, const char *text, size_t bytes,
		  struct diag *diag);

#endif
