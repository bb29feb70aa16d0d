/* SPDX-License-Identifier: MIT */
/* SHOWS a reader that waits for the end of a pipe whose write end it left open itself */
/* EXPECT self-deadlock|stuck-wait confidence=observed stacks=read_all threads=1 roles=waits */
/* RUN timeout=2 */
#include "../sample.h"

#include <sys/wait.h>

static NOINLINE void read_all(int in)
{
	char text[64];

	while (read(in, text, sizeof(text)) > 0)
		;
}

int main(void)
{
	int output[2];
	pid_t child;

	if (pipe(output))
		return 3;
	child = fork();
	if (!child) {
		close(output[0]);
		if (write(output[1], "done\n", 5) != 5)
			_exit(3);
		_exit(0);
	}
	/* close(output[1]) is missing */
	waitpid(child, NULL, 0);
	read_all(output[0]);
	return 0;
}
