/* SPDX-License-Identifier: MIT */
/* SHOWS four processes count in a file under lockf, with a mutex of their own around it, and OFD locks beside */
/* RUN clean */
#include "../process.h"

static char path[] = "/tmp/sample-counter-XXXXXX";
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *count(void *arg)
{
	int fd = open(path, O_RDWR);
	long n;

	for (int i = 0; i < 25; i++) {
		MUST(pthread_mutex_lock(&m));
		lseek(fd, 0, SEEK_SET);
		MUST(lockf(fd, F_LOCK, sizeof(n)));
		if (pread(fd, &n, sizeof(n), 0) != sizeof(n))
			_exit(3);
		n++;
		if (pwrite(fd, &n, sizeof(n), 0) != sizeof(n))
			_exit(3);
		MUST(lockf(fd, F_ULOCK, sizeof(n)));
		MUST(pthread_mutex_unlock(&m));
	}
	close(fd);
	return arg;
}

static void *count_by_description(void *arg)
{
	int fd = open(path, O_RDWR);
	struct flock l;

	memset(&l, 0, sizeof(l));
	l.l_whence = SEEK_SET;
	l.l_start = 1000;
	l.l_len = 10;
	for (int i = 0; i < 25; i++) {
		l.l_type = F_WRLCK;
		MUST(fcntl(fd, F_OFD_SETLKW, &l));
		l.l_type = F_UNLCK;
		MUST(fcntl(fd, F_OFD_SETLK, &l));
	}
	close(fd);
	return arg;
}

static int counts(void)
{
	pthread_t by_description = start(count_by_description, NULL);

	run_two(count, count);
	finish(by_description);
	return 0;
}

int main(void)
{
	long n = 0;
	int fd = mkstemp(path);
	pid_t pid[4];

	if (write(fd, &n, sizeof(n)) != sizeof(n))
		return 3;
	for (int i = 0; i < 4; i++)
		pid[i] = start_child(counts);
	for (int i = 0; i < 4; i++)
		finish_child(pid[i]);
	if (pread(fd, &n, sizeof(n), 0) != sizeof(n))
		return 3;
	unlink(path);
	printf("%ld\n", n);
	return 0;
}
