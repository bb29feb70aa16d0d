/* SPDX-License-Identifier: MIT */
/* SHOWS fcntl locks in opposite orders: the kernel refuses one with EDEADLK, which backs off */
/* EXPECT deadlock|lock-order-inversion level=warning..error stacks=forwards,backwards */
/* RUN */
#include "../process.h"

struct area {
	int both, refused;
};

static struct area *area;
static int fd;

static int lock_byte(off_t at, short type, int cmd)
{
	struct flock l;

	memset(&l, 0, sizeof(l));
	l.l_type = type;
	l.l_whence = SEEK_SET;
	l.l_start = at;
	l.l_len = 1;
	return fcntl(fd, cmd, &l);
}

/* Takes the second; when it would be a deadlock, gives the first back and tries anew. */
static void second(off_t first, off_t next)
{
	while (lock_byte(next, F_WRLCK, F_SETLKW)) {
		if (errno != EDEADLK)
			_exit(3);
		__atomic_add_fetch(&area->refused, 1, __ATOMIC_SEQ_CST);
		MUST(lock_byte(first, F_UNLCK, F_SETLK));
		sched_yield();
		MUST(lock_byte(first, F_WRLCK, F_SETLKW));
	}
	MUST(lock_byte(next, F_UNLCK, F_SETLK));
	MUST(lock_byte(first, F_UNLCK, F_SETLK));
}

static NOINLINE int forwards(void)
{
	MUST(lock_byte(0, F_WRLCK, F_SETLKW));
	meet(&area->both, 2);
	second(0, 100);
	return 0;
}

static NOINLINE void backwards(void)
{
	MUST(lock_byte(100, F_WRLCK, F_SETLKW));
	meet(&area->both, 2);
	second(100, 0);
}

int main(void)
{
	pid_t pid;

	area = (struct area *)share(sizeof(*area));
	fd = shared_file(4096);
	pid = start_child(forwards);
	backwards();
	finish_child(pid);
	printf("%s\n", area->refused ? "refused" : "not refused");
	return 0;
}
