/* SPDX-License-Identifier: MIT */
/* SHOWS a parent that sends all its requests before it reads an answer: both pipes are full, both processes write */
/* EXPECT deadlock confidence=observed stacks=send_requests,answer threads=2 roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <sys/wait.h>

#define MANY (1 << 20)
static char block[4096];

static NOINLINE void send_requests(int out)
{
	for (int i = 0; i < MANY; i += (int)sizeof(block))
		if (write(out, block, sizeof(block)) <= 0)
			_exit(3);
}

static NOINLINE void answer(int in, int out)
{
	ssize_t got;

	while ((got = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)got) <= 0)
			_exit(3);
}

int main(void)
{
	int to_child[2], to_parent[2];
	pid_t child;

	if (pipe(to_child) || pipe(to_parent))
		return 3;
	child = fork();
	if (!child) {
		close(to_child[1]);
		close(to_parent[0]);
		answer(to_child[0], to_parent[1]);
		_exit(0);
	}
	close(to_child[0]);
	close(to_parent[1]);
	send_requests(to_child[1]);
	close(to_child[1]);
	while (read(to_parent[0], block, sizeof(block)) > 0)
		;
	waitpid(child, NULL, 0);
	return 0;
}
