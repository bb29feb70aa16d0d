/* SPDX-License-Identifier: MIT */
/* SHOWS two ends of a non-blocking socket pair: both poll for the other's first word */
/* EXPECT deadlock confidence=observed stacks=greets_back,greeted threads=2 */
/* RUN timeout=2 */
#include "../process.h"

#include <poll.h>
#include <sys/socket.h>

static int pair[2];

static int await_word(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, -1);
}

static NOINLINE int greets_back(void)
{
	close(pair[0]);
	await_word(pair[1]);
	return send(pair[1], "hello", 5, 0) != 5;
}

static NOINLINE int greeted(void)
{
	close(pair[1]);
	return await_word(pair[0]) != 1;
}

int main(void)
{
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		return 3;
	pid = start_child(greets_back);
	if (greeted())
		return 3;
	finish_child(pid);
	return 0;
}
