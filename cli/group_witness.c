/* SPDX-License-Identifier: MIT */
/*
 * group_witness.c - the child that shares thrum's process group and only answers whether a signal is pending in it.
 */
#include "group_witness.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct group_witness {
	pid_t pid;
	int fd; /* owns; one byte asks, one byte answers */
};

#define ALL_SIGNALS 0 /* what forget asks for */

/* Takes all pending instances of `signal` off this process. */
static bool take_pending(int signal)
{
	const struct timespec now = { 0 };
	bool taken = false;
	sigset_t set;

	if (signal == ALL_SIGNALS) {
		sigfillset(&set);
	} else {
		sigemptyset(&set);
		sigaddset(&set, signal);
	}
	while (sigtimedwait(&set, NULL, &now) > 0)
		taken = true;
	return taken;
}

__attribute__((noreturn)) static void witness_main(int fd, pid_t parent)
{
	unsigned char ask, answer;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	/* The descriptors of the program's output must not stay open here after it closed them. */
	if (dup2(fd, 0) < 0)
		_exit(1);
	close_range(1, ~0u, 0);
	for (;;) {
		ssize_t got = read(0, &ask, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got != 1)
			_exit(0);
		answer = take_pending(ask);
		if (write(0, &answer, 1) != 1)
			_exit(0);
	}
}

struct group_witness *group_witness_new(void)
{
	struct group_witness *witness = malloc(sizeof(*witness));
	pid_t parent = getpid();
	int pair[2];

	if (!witness || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		goto fail;
	witness->pid = fork();
	if (witness->pid == 0)
		witness_main(pair[1], parent);
	close(pair[1]);
	if (witness->pid < 0) {
		close(pair[0]);
		goto fail;
	}
	witness->fd = pair[0];
	return witness;
fail:
	free(witness);
	return NULL;
}

void group_witness_free(struct group_witness *witness)
{
	if (!witness)
		return;
	close(witness->fd);
	kill(witness->pid, SIGKILL);
	while (waitpid(witness->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(witness);
}

bool group_witness_saw(struct group_witness *witness, int signal)
{
	unsigned char ask = (unsigned char)signal, answer = 0;

	if (!witness || send(witness->fd, &ask, 1, MSG_NOSIGNAL) != 1)
		return false;
	while (read(witness->fd, &answer, 1) < 0 && errno == EINTR)
		;
	return answer;
}

void group_witness_forget(struct group_witness *witness)
{
	group_witness_saw(witness, ALL_SIGNALS);
}
