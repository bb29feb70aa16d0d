/* SPDX-License-Identifier: MIT */
/* SHOWS parent and child write to each other until both pipes are full, and neither reads */
/* EXPECT deadlock confidence=observed stacks=parent_sends,child_answers */
/* RUN timeout=2 */
#include "../process.h"

static int to_child[2], to_parent[2];
static char block[4096];

static void write_all(int fd, int blocks)
{
	while (blocks--)
		if (write(fd, block, sizeof(block)) != sizeof(block))
			_exit(3);
}

static void read_all(int fd, int blocks)
{
	for (size_t left = (size_t)blocks * sizeof(block); left;) {
		ssize_t n = read(fd, block, left < sizeof(block) ? left : sizeof(block));

		if (n <= 0)
			_exit(3);
		left -= (size_t)n;
	}
}

static NOINLINE int child_answers(void)
{
	close(to_child[1]);
	close(to_parent[0]);
	read_all(to_child[0], 1);
	write_all(to_parent[1], 1000);
	read_all(to_child[0], 999);
	return 0;
}

static NOINLINE void parent_sends(void)
{
	write_all(to_child[1], 1000);
	read_all(to_parent[0], 1000);
}

int main(void)
{
	pid_t pid;

	if (pipe(to_child) || pipe(to_parent))
		return 3;
	pid = start_child(child_answers);
	close(to_child[0]);
	close(to_parent[1]);
	parent_sends();
	finish_child(pid);
	return 0;
}
