/* SPDX-License-Identifier: MIT */
/* SHOWS two processes that lock two files with flock in opposite order and wait for each other */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards threads=2 roles=holds,waits */
/* RUN timeout=2 */
#include "../sample.h"

#include <sys/file.h>
#include <sys/mman.h>

static char one[] = "/tmp/thrum-sample-one-XXXXXX", two[] = "/tmp/thrum-sample-two-XXXXXX";
static int *both;

static NOINLINE void forwards(void)
{
	int a = open(one, O_RDWR | O_CLOEXEC), b = open(two, O_RDWR | O_CLOEXEC);

	flock(a, LOCK_EX);
	meet(both, 2);
	flock(b, LOCK_EX);
}

static NOINLINE void backwards(void)
{
	int a = open(one, O_RDWR | O_CLOEXEC), b = open(two, O_RDWR | O_CLOEXEC);

	flock(b, LOCK_EX);
	meet(both, 2);
	unlink(one);
	unlink(two);
	flock(a, LOCK_EX);
}

int main(void)
{
	both = mmap(NULL, sizeof(*both), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (both == MAP_FAILED)
		return 3;
	close(mkstemp(one));
	close(mkstemp(two));
	if (!fork())
		backwards();
	else
		forwards();
	return 0;
}
