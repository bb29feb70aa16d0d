/* SPDX-License-Identifier: MIT */
/* SHOWS file locks that are converted, extended and given back, by three processes: one of them waits for a reader that computes */
/* NEVER deadlock self-deadlock stuck-wait lock-order-inversion double-lock unlock-not-owned */
/* RUN timeout=2 clean */
#include "../process.h"

#include <sys/file.h>

static char path[] = "/tmp/sample-XXXXXX";
static int *step;

static void lock_range(int fd, int command, short type, off_t from, off_t bytes)
{
	struct flock l;

	memset(&l, 0, sizeof(l));
	l.l_type = type;
	l.l_whence = SEEK_SET;
	l.l_start = from;
	l.l_len = bytes;
	fcntl(fd, command, &l);
}

static int open_again(void)
{
	int fd = open(path, O_RDWR);

	if (fd < 0)
		_exit(3);
	return fd;
}

static int converts(void)
{
	int fd = open_again();

	for (int i = 0; i < 20; i++) {
		flock(fd, LOCK_SH);
		flock(fd, LOCK_EX);
		flock(fd, LOCK_SH);
		flock(fd, LOCK_UN);
		lock_range(fd, F_SETLKW, F_RDLCK, 0, 10);
		lock_range(fd, F_SETLK, F_WRLCK, 0, 10);
		lock_range(fd, F_SETLKW, F_RDLCK, 0, 10);
		lock_range(fd, F_SETLKW, F_UNLCK, 0, 10);
	}
	return 0;
}

/* Reads for ever, as far as this sample goes. */
static _Noreturn int computes(void)
{
	int fd = open_again();

	lock_range(fd, F_OFD_SETLKW, F_RDLCK, 100, 20);
	step_to(step, 1);
	for (;;)
		sched_yield();
}

static int extends(void)
{
	int fd = open_again();

	lock_range(fd, F_OFD_SETLKW, F_RDLCK, 90, 20);
	lock_range(fd, F_OFD_SETLKW, F_WRLCK, 90, 25);
	return 0;
}

int main(void)
{
	step = share(sizeof(*step));
	if (mkstemp(path) < 0)
		return 3;
	finish_child(start_child(converts));
	start_child(computes);
	until(step, 1);
	finish_child(start_child(extends));
	return 0;
}
