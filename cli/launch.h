/* SPDX-License-Identifier: MIT */
/*
 * launch.h - starts the program under the shim and waits for it as a transparent parent.
 *
 * Invariants
 *  - The program stays in thrum's process group and keeps thrum's descriptors, signal mask and dispositions, so the
 *    shell, the terminal and pipelines treat both as one job.
 *  - A signal that reaches thrum alone is passed on. One that the terminal or a kill of the whole group already gave to
 *    the program is not given twice: the group witness tells (group_witness.h).
 *  - When the program stops, thrum stops, where a shell with job control is there to see it; when thrum is continued, so
 *    is the program.
 *  - Descendants that outlive the program are not touched.
 *
 * Between launch_start and launch_release the signals that launch_wait forwards are blocked in thrum.
 */
#ifndef THRUM_CLI_LAUNCH_H
#define THRUM_CLI_LAUNCH_H

#include "../trace/trace_diag.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct group_witness;

struct launch_variable {
	const char *name, *value;
};

struct launch {
	pid_t pid;
	int wait_status; /* of waitpid, valid once launch_wait said ENDED */
	/* private */
	int signal_fd;
	bool stop_asked; /* a stop signal was passed on: thrum stops with the program */
	sigset_t old_mask;
	struct sigaction old_child_action;
	struct group_witness *witness;
	bool fixed_addresses;
};

enum launch_state { LAUNCH_ENDED, LAUNCH_TIMED_OUT };

/*
 * Runs argv[0] (searched in PATH) with `variables` (ended by a NULL name) added to the environment, and where `fixed_addresses`
 * without random addresses, as setarch -R does. Returns 0 when the
 * program runs; THRUM_EINVAL when it cannot be executed, with the reason in `ret_exec_errno`; THRUM_EIO when thrum could
 * not get that far. On failure nothing is left to release.
 */
int launch_start(struct launch *launch, char **argv, const struct launch_variable *variables,
		 bool fixed_addresses, int *ret_exec_errno, struct diag *diag);

/* Waits until the program ended or `deadline_ns` of CLOCK_MONOTONIC is reached; 0 = no deadline. */
enum launch_state launch_wait(struct launch *launch, uint64_t deadline_ns);

/* Gives the signals back. The program has ended. */
void launch_release(struct launch *launch);

uint64_t launch_now_ns(void);

#endif
