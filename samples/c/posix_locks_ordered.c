/* SPDX-License-Identifier: MIT */
/* SHOWS fcntl locks of ranges, read and write, split, joined and upgraded, in one order by three processes */
/* RUN clean */
#include "../process.h"

static int fd;

static int lock_range(off_t at, off_t length, short type, int cmd)
{
	struct flock l;

	memset(&l, 0, sizeof(l));
	l.l_type = type;
	l.l_whence = SEEK_SET;
	l.l_start = at;
	l.l_len = length;
	return fcntl(fd, cmd, &l);
}

static void *other_thread(void *arg)
{
	/* Of one process: it has the lock already, whoever took it. */
	MUST(lock_range(0, 10, F_WRLCK, F_SETLKW));
	MUST(lock_range(200, 10, F_WRLCK, F_SETLKW));
	return arg;
}

static int work(void)
{
	for (int i = 0; i < 30; i++) {
		MUST(lock_range(0, 10, F_WRLCK, F_SETLKW));
		MUST(lock_range(100, 10, F_RDLCK, F_SETLKW));
		finish(start(other_thread, NULL));
		MUST(lock_range(200, 10, F_UNLCK, F_SETLK));
		MUST(lock_range(105, 2, F_UNLCK, F_SETLK)); /* splits it */
		MUST(lock_range(0, 0, F_UNLCK, F_SETLK));   /* all there is */
	}
	MUST(lock_range(300, 10, F_WRLCK, F_SETLKW));
	close(open("/proc/self/fd/0", O_RDONLY));
	return 0;
}

static int opens_and_closes(void)
{
	char path[64];
	int again;

	MUST(lock_range(0, 10, F_WRLCK, F_SETLKW));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR);
	close(again); /* any close of the file gives all its POSIX locks back */
	finish_child(start_child(work));
	return 0;
}

int main(void)
{
	pid_t pid[3];

	fd = shared_file(4096);
	pid[0] = start_child(work);
	pid[1] = start_child(work);
	pid[2] = start_child(opens_and_closes);
	for (int i = 0; i < 3; i++)
		finish_child(pid[i]);
	return 0;
}
