/* SPDX-License-Identifier: MIT */
/* SHOWS fcntl locks in opposite orders, once: the kernel refuses one with EDEADLK, and that process gives up */
/* EXPECT lock-order-inversion|deadlock level=error stacks=forwards,backwards */
/* RUN */
#include "../process.h"

static int fd, *both;

static int lock_byte(off_t at, short type)
{
	struct flock l;

	memset(&l, 0, sizeof(l));
	l.l_type = type;
	l.l_whence = SEEK_SET;
	l.l_start = at;
	l.l_len = 1;
	return fcntl(fd, F_SETLKW, &l) ? errno : 0;
}

static NOINLINE int forwards(void)
{
	int rc;

	MUST(lock_byte(0, F_WRLCK));
	meet(both, 2);
	rc = lock_byte(100, F_WRLCK);
	return rc && rc != EDEADLK;
}

static NOINLINE int backwards(void)
{
	int rc;

	MUST(lock_byte(100, F_WRLCK));
	meet(both, 2);
	rc = lock_byte(0, F_WRLCK);
	return rc && rc != EDEADLK;
}

int main(void)
{
	pid_t one, other;

	both = share(sizeof(*both));
	fd = shared_file(4096);
	one = start_child(forwards);
	other = start_child(backwards);
	finish_child(one);
	finish_child(other);
	return 0;
}
