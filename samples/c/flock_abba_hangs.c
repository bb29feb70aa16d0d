/* SPDX-License-Identifier: MIT */
/* SHOWS two processes flock two files in opposite orders and hang */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards */
/* ALLOW lock-order-inversion level=any */
/* RUN timeout=2 */
#include "../process.h"

#include <sys/file.h>

static char one[] = "/tmp/sample-one-XXXXXX", two[] = "/tmp/sample-two-XXXXXX";
static int *both;

static NOINLINE int forwards(void)
{
	int a = open(one, O_RDWR), b = open(two, O_RDWR);

	MUST(flock(a, LOCK_EX));
	meet(both, 2);
	MUST(flock(b, LOCK_EX));
	return 0;
}

static NOINLINE int backwards(void)
{
	int a = open(one, O_RDWR), b = open(two, O_RDWR);

	MUST(flock(b, LOCK_EX));
	meet(both, 2);
	unlink(one);
	unlink(two);
	MUST(flock(a, LOCK_EX));
	return 0;
}

int main(void)
{
	pid_t pid;

	both = (int *)share(sizeof(int));
	close(mkstemp(one));
	close(mkstemp(two));
	pid = start_child(forwards);
	backwards();
	finish_child(pid);
	return 0;
}
