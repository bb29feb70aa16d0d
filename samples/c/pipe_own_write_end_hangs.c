/* SPDX-License-Identifier: MIT */
/* SHOWS a parent reads a pipe to its end, whose write end it has open itself; its writers are done */
/* EXPECT deadlock|stuck-wait|self-deadlock stacks=collects */
/* RUN timeout=2 */
#include "../process.h"

static int results[2];

static int writer(void)
{
	return write(results[1], "result", 6) == 6 ? 0 : 1;
}

static NOINLINE int collects(void)
{
	char block[64];
	int sum = 0;
	ssize_t n;

	while ((n = read(results[0], block, sizeof(block))) > 0) /* close(results[1]) is missing */
		sum += (int)n;
	return sum;
}

int main(void)
{
	pid_t pid[2];

	if (pipe(results))
		return 3;
	pid[0] = start_child(writer);
	pid[1] = start_child(writer);
	finish_child(pid[0]);
	finish_child(pid[1]);
	printf("%d\n", collects());
	return 0;
}
