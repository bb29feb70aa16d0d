/* SPDX-License-Identifier: MIT */
/* SHOWS main joining a thread that waits for input from a peer: alive, whatever the time-out */
/* NEVER deadlock stuck-wait */
/* RUN timeout=1 clean */
#include "../sample.h"

#include <sys/socket.h>

static int ends[2];

static void *serve(void *arg)
{
	char c;

	while (recv(ends[0], &c, 1, 0) == 1)
		;
	return arg;
}

int main(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return 3;
	finish(start(serve, NULL));
	return 0;
}
