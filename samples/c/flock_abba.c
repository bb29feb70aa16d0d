/* SPDX-License-Identifier: MIT */
/* SHOWS two processes flock two files in opposite orders, one after the other: a deadlock that did not happen */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards */
/* RUN */
#include "../process.h"

#include <sys/file.h>

static char one[] = "/tmp/sample-one-XXXXXX", two[] = "/tmp/sample-two-XXXXXX";
static int *step;

static NOINLINE int forwards(void)
{
	int a = open(one, O_RDWR), b = open(two, O_RDWR);

	MUST(flock(a, LOCK_EX));
	MUST(flock(b, LOCK_EX));
	MUST(flock(b, LOCK_UN));
	close(a); /* unlocks */
	step_to(step, 1);
	until(step, 2);
	return 0;
}

static NOINLINE int backwards(void)
{
	int a = open(one, O_RDWR), b = open(two, O_RDWR);

	until(step, 1);
	MUST(flock(b, LOCK_EX));
	MUST(flock(a, LOCK_EX));
	close(a);
	close(b);
	step_to(step, 2);
	return 0;
}

int main(void)
{
	pid_t pid;

	step = (int *)share(sizeof(int));
	close(mkstemp(one));
	close(mkstemp(two));
	pid = start_child(forwards);
	backwards();
	finish_child(pid);
	unlink(one);
	unlink(two);
	return 0;
}
