/* SPDX-License-Identifier: MIT */
/* SHOWS a parent waits for its child with the write end of the pipe open that the child reads to its end */
/* EXPECT deadlock confidence=observed stacks=reads_to_the_end */
/* RUN timeout=2 */
#include "../process.h"

static int to_child[2];

static NOINLINE int reads_to_the_end(void)
{
	char block[256];

	close(to_child[1]);
	while (read(to_child[0], block, sizeof(block)) > 0)
		;
	return 0;
}

int main(void)
{
	pid_t pid;

	if (pipe(to_child))
		return 3;
	pid = start_child(reads_to_the_end);
	close(to_child[0]);
	if (write(to_child[1], "text", 4) != 4)
		return 3;
	finish_child(pid); /* close(to_child[1]) is missing */
	return 0;
}
