/* SPDX-License-Identifier: MIT */
/*
 * launch.c - fork, exec, wait; signals and job control between shell, thrum and program. Decides nothing about traces.
 */
#include "launch.h"

#include "group_witness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What people and supervisors send to a program they see as one process. SIGKILL and SIGSTOP cannot be passed on. */
static const int forwarded[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1,
				 SIGUSR2, SIGALRM, SIGTSTP, SIGCONT, SIGWINCH };
#define FORWARDED_COUNT (sizeof(forwarded) / sizeof(forwarded[0]))

uint64_t launch_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int fail(struct diag *diag, const char *what)
{
	return diag_set(diag, THRUM_EIO, "cannot %s: %s", what, strerror(errno));
}

static int signals_take(struct launch *launch, struct diag *diag)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	for (size_t i = 0; i < FORWARDED_COUNT; i++)
		sigaddset(&mask, forwarded[i]);
	launch->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (launch->signal_fd < 0)
		return fail(diag, "watch for signals");
	sigprocmask(SIG_BLOCK, &mask, &launch->old_mask);
	/* An inherited SIG_IGN would reap the child before waitpid sees it. */
	sigaction(SIGCHLD, &standard, &launch->old_child_action);
	return 0;
}

static void signals_give_back(struct launch *launch)
{
	struct signalfd_siginfo drop;

	/* What came for a program that is gone shall not end thrum before it has reported. */
	while (read(launch->signal_fd, &drop, sizeof(drop)) == sizeof(drop))
		;
	close(launch->signal_fd);
	sigaction(SIGCHLD, &launch->old_child_action, NULL);
	sigprocmask(SIG_SETMASK, &launch->old_mask, NULL);
}

__attribute__((noreturn)) static void child_exec(const struct launch *launch, char **argv,
						 const struct launch_variable *variables, int go_fd,
						 int error_fd)
{
	int error;
	char none;

	/* Ends when the parent closes its side; see launch_start. */
	while (read(go_fd, &none, 1) < 0 && errno == EINTR)
		;
	for (; variables->name; variables++)
		if (setenv(variables->name, variables->value, 1))
			goto out;
	sigaction(SIGCHLD, &launch->old_child_action, NULL);
	sigprocmask(SIG_SETMASK, &launch->old_mask, NULL);
	if (launch->fixed_addresses) {
		int now = personality(0xffffffff);

		if (now != -1)
			personality((unsigned long)now | ADDR_NO_RANDOMIZE);
	}
	execvp(argv[0], argv);
out:
	error = errno;
	/* Where the write fails, the parent takes the closed pipe for success and sees the status instead. */
	_exit(write(error_fd, &error, sizeof(error)) < 0 ? 126 : 127);
}

/* Reads errno of a failed exec from the pipe that a successful one closes; 0 = it runs. */
static int exec_result(int fd)
{
	int error = 0;
	ssize_t got;

	do
		got = read(fd, &error, sizeof(error));
	while (got < 0 && errno == EINTR);
	return got == sizeof(error) ? error : 0;
}

/* Forks the child and lets it run up to its exec; `pipes` are the read and write sides of go, then of error. */
static int child_start(struct launch *launch, char **argv, const struct launch_variable *variables,
		       const int pipes[4], int *ret_exec_errno, struct diag *diag)
{
	launch->pid = fork();
	if (launch->pid < 0)
		return fail(diag, "start a process");
	if (launch->pid == 0) {
		close(pipes[1]);
		child_exec(launch, argv, variables, pipes[0], pipes[3]);
	}
	/*
	 * What the group got before the child was in it, the program has not: better twice than not at all. The child
	 * waits meanwhile, so nothing that came after its exec is forgotten.
	 */
	group_witness_forget(launch->witness);
	close(pipes[1]);
	close(pipes[3]);
	*ret_exec_errno = exec_result(pipes[2]);
	if (!*ret_exec_errno)
		return 0;
	waitpid(launch->pid, NULL, 0);
	return diag_set(diag, THRUM_EINVAL, "cannot execute %s: %s", argv[0],
			strerror(*ret_exec_errno));
}

int launch_start(struct launch *launch, char **argv, const struct launch_variable *variables,
		 bool fixed_addresses, int *ret_exec_errno, struct diag *diag)
{
	int pipes[4] = { -1, -1, -1, -1 }, error;

	*launch = (struct launch){ .pid = -1, .fixed_addresses = fixed_addresses };
	error = signals_take(launch, diag);
	if (error)
		return error;
	if (pipe2(pipes, O_CLOEXEC) || pipe2(pipes + 2, O_CLOEXEC)) {
		error = fail(diag, "make a pipe");
		close(pipes[0]);
		close(pipes[1]);
		launch_release(launch);
		return error;
	}
	launch->witness = group_witness_new();
	error = child_start(launch, argv, variables, pipes, ret_exec_errno, diag);
	close(pipes[0]);
	close(pipes[2]);
	if (error)
		launch_release(launch);
	return error;
}

/* ---- job control ---- */

static pid_t stat_ppid(pid_t pid)
{
	char path[64], text[512], *after;
	pid_t ppid = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	in = fopen(path, "re");
	if (!in)
		return 0;
	if (fgets(text, sizeof(text), in) && (after = strrchr(text, ')')) &&
	    sscanf(after, ") %*c %d", &ppid) != 1)
		ppid = 0;
	fclose(in);
	return ppid;
}

/* Is `pid` the program or below it? A server that does kill(0, SIGTERM) must not get its own signal back from us. */
static bool is_of_program(const struct launch *launch, pid_t pid)
{
	while (pid > 1 && pid != launch->pid && pid != getpid())
		pid = stat_ppid(pid);
	return pid == launch->pid;
}

/*
 * A shell with job control is our parent, in our session and another group. Without one nobody would see thrum stopped
 * nor continue it, and a program that stops and continues itself would leave thrum behind.
 */
static bool job_control_watches(void)
{
	pid_t parent = getppid(), group = getpgid(parent);

	return group > 0 && group != getpgrp() && getsid(parent) == getsid(0);
}

static void stop_with_program(struct launch *launch)
{
	if (!launch->stop_asked && !job_control_watches())
		return;
	launch->stop_asked = false;
	raise(SIGSTOP);
	/* Here again after SIGCONT. A shell continues the whole group, anyone else only us. */
	kill(launch->pid, SIGCONT);
}

/* Returns true when the program has ended. */
static bool reap(struct launch *launch)
{
	int status;

	while (waitpid(launch->pid, &status, WNOHANG | WUNTRACED) == launch->pid) {
		if (!WIFSTOPPED(status)) {
			launch->wait_status = status;
			return true;
		}
		stop_with_program(launch);
	}
	return false;
}

static void forward(struct launch *launch, int signal, const siginfo_t *info, bool group_has_it)
{
	/* A program that made a group of its own does not get what ours gets. */
	bool in_our_group = getpgid(launch->pid) == getpgrp();

	if (in_our_group && (group_has_it || info->si_code == SI_KERNEL))
		return;
	if (info->si_pid && is_of_program(launch, info->si_pid))
		return;
	if (signal == SIGTSTP)
		launch->stop_asked = true;
	kill(launch->pid, signal);
}

/* Takes every pending signal off thrum and passes on what the program does not have. */
static void signals_dispatch(struct launch *launch)
{
	const struct timespec now = { 0 };
	sigset_t one;
	siginfo_t info;

	sigemptyset(&one);
	sigaddset(&one, SIGCHLD);
	sigtimedwait(&one, NULL, &now);
	for (size_t i = 0; i < FORWARDED_COUNT; i++) {
		int signal = forwarded[i];
		sigset_t pending;
		bool group_has_it;

		sigpending(&pending);
		if (!sigismember(&pending, signal))
			continue;
		/*
		 * Asked before and after ours is taken: signals of one number that come close together melt into one,
		 * here and in the witness at different moments.
		 */
		group_has_it = group_witness_saw(launch->witness, signal);
		sigemptyset(&one);
		sigaddset(&one, signal);
		if (sigtimedwait(&one, &info, &now) != signal)
			continue;
		group_has_it |= group_witness_saw(launch->witness, signal);
		forward(launch, signal, &info, group_has_it);
	}
}

enum launch_state launch_wait(struct launch *launch, uint64_t deadline_ns)
{
	struct pollfd poll_fd = { .fd = launch->signal_fd, .events = POLLIN };

	while (!reap(launch)) {
		uint64_t now = launch_now_ns(), left = deadline_ns > now ? deadline_ns - now : 0;
		struct timespec wait = { .tv_sec = (time_t)(left / 1000000000u),
					 .tv_nsec = (long)(left % 1000000000u) };

		if (deadline_ns && !left)
			return LAUNCH_TIMED_OUT;
		ppoll(&poll_fd, 1, deadline_ns ? &wait : NULL, NULL);
		signals_dispatch(launch);
	}
	return LAUNCH_ENDED;
}

void launch_release(struct launch *launch)
{
	group_witness_free(launch->witness);
	launch->witness = NULL;
	signals_give_back(launch);
}
