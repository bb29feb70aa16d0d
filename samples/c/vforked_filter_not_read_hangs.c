/* SPDX-License-Identifier: MIT */
/* SHOWS a filter started with vfork: it gets all its input before anybody reads its output, until both pipes are full */
/* EXPECT deadlock confidence=observed stacks=feed,filter threads=2 */
/* RUN timeout=2 */
#include "../process.h"

static NOINLINE void feed(int fd)
{
	static char block[4096];

	for (int i = 0; i < 256; i++)
		if (write(fd, block, sizeof(block)) < 0)
			_exit(3);
}

static NOINLINE int filter(void)
{
	static char block[4096];
	ssize_t n;

	while ((n = read(0, block, sizeof(block))) > 0)
		if (write(1, block, (size_t)n) < 0)
			return 3;
	return 0;
}

int main(int argc, char **argv)
{
	char *arguments[] = { argv[0], (char *)"filter", NULL }, buffer[64];
	int in[2], out[2];
	pid_t pid;

	if (argc > 1)
		return filter();
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return 3;
	pid = vfork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execv("/proc/self/exe", arguments);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	feed(in[1]);
	close(in[1]);
	while (read(out[0], buffer, sizeof(buffer)) > 0)
		continue;
	finish_child(pid);
	return 0;
}
