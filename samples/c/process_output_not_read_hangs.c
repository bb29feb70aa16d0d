/* SPDX-License-Identifier: MIT */
/* SHOWS a parent that waits for its child before it reads the child's output, which does not fit the pipe */
/* EXPECT deadlock confidence=observed stacks=run,print_much threads=2 roles=waits */
/* RUN timeout=2 */
#include "../sample.h"

#include <sys/wait.h>

static char block[4096];

static NOINLINE void print_much(int out)
{
	for (int i = 0; i < 64; i++)
		if (write(out, block, sizeof(block)) <= 0)
			_exit(3);
}

static NOINLINE void run(void)
{
	int output[2], status;
	pid_t child;

	if (pipe(output))
		_exit(3);
	child = fork();
	if (!child) {
		close(output[0]);
		print_much(output[1]);
		_exit(0);
	}
	close(output[1]);
	waitpid(child, &status, 0);
	while (read(output[0], block, sizeof(block)) > 0)
		;
}

int main(void)
{
	run();
	return 0;
}
