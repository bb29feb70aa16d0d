/* SPDX-License-Identifier: MIT */
/* SHOWS the self-pipe trick: a signal handler writes what its own process reads; supervisor and worker are idle, nothing is wrong */
/* NEVER deadlock self-deadlock stuck-wait */
/* RUN timeout=2 clean */
#include "../process.h"

#include <poll.h>

static int wakeup[2];

static void on_signal(int signal)
{
	char c = (char)signal;

	(void)!write(wakeup[1], &c, 1);
}

/* The handler came from the parent with fork; the pipe is its own. */
static int worker(void)
{
	struct pollfd p = { .events = POLLIN };

	if (pipe2(wakeup, O_NONBLOCK))
		return 3;
	p.fd = wakeup[0];
	poll(&p, 1, -1);
	return 0;
}

int main(void)
{
	char c;

	signal(SIGTERM, on_signal);
	signal(SIGCHLD, on_signal);
	start_child(worker);
	if (pipe(wakeup))
		return 3;
	return read(wakeup[0], &c, 1) != 1;
}
