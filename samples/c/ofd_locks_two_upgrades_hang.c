/* SPDX-License-Identifier: MIT */
/* SHOWS two processes that both read-lock a file by open file description, and both want to write */
/* EXPECT deadlock confidence=observed stacks=parent_updates,child_updates threads=2 roles=holds,waits */
/* RUN timeout=2 */
#include "../process.h"

static char path[] = "/tmp/sample-XXXXXX";
static int *both;

static void lock_file(int fd, short type)
{
	struct flock l;

	memset(&l, 0, sizeof(l));
	l.l_type = type;
	l.l_whence = SEEK_SET;
	MUST(fcntl(fd, F_OFD_SETLKW, &l));
}

static int open_again(void)
{
	int fd = open(path, O_RDWR);

	if (fd < 0)
		_exit(3);
	return fd;
}

static NOINLINE int child_updates(void)
{
	int fd = open_again();

	lock_file(fd, F_RDLCK);
	meet(both, 2);
	lock_file(fd, F_WRLCK);
	return 0;
}

static NOINLINE void parent_updates(void)
{
	int fd = open_again();

	lock_file(fd, F_RDLCK);
	meet(both, 2);
	unlink(path);
	lock_file(fd, F_WRLCK);
}

int main(void)
{
	both = share(sizeof(*both));
	if (mkstemp(path) < 0)
		return 3;
	start_child(child_updates);
	parent_updates();
	return 0;
}
