/* SPDX-License-Identifier: MIT */
/* SHOWS parent and child wait for input: one on a pipe that somebody outside may write to, one on a sleeping child */
/* NEVER deadlock stuck-wait leaked-thread */
/* RUN timeout=2 clean */
#include "../process.h"

static int line[2];

/* A process that nobody traces keeps an end: it may write any time. */
static int reader(void)
{
	char c;

	return read(line[0], &c, 1) == 1 ? 0 : 1;
}

int main(void)
{
	pid_t pid, outside;

	if (pipe(line))
		return 3;
	outside = fork();
	if (outside == 0) {
		execle("/usr/bin/env", "env", "-i", "sleep", "5", (char *)NULL,
		       (char **)(char *[]){ NULL });
		_exit(127);
	}
	pid = start_child(reader);
	close(line[1]);
	finish_child(pid);
	return 0;
}
