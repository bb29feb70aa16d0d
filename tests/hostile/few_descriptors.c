/* SPDX-License-Identifier: MIT */
/*
 * few_descriptors.c - starts itself anew with sixteen descriptors, then shows what it can open and close: the same
 * numbers as without a recorder, in a forked child too; afterwards many events.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t m[64];

static void lock_often(void)
{
	for (int i = 0; i < 200000; i++) {
		pthread_mutex_lock(&m[i % 64]);
		pthread_mutex_unlock(&m[i % 64]);
	}
}

/* All the numbers that open gives, then what a loop over the numbers can close. */
static void show(const char *who)
{
	int first = open("/dev/null", O_RDONLY), last = first, closed = 0;

	for (int fd; (fd = open("/dev/null", O_RDONLY)) >= 0;) {
		last = fd;
	}
	lock_often();
	for (int fd = 3; fd < 2048; fd++) {
		closed += close(fd) == 0;
	}
	printf("%s: opened %d..%d, closed %d, dup %d\n", who, first, last, closed, dup(0));
	fflush(stdout);
	close(3);
	lock_often();
}

int main(int argc, char **argv)
{
	struct rlimit few = { 16, 16 };
	int status = 0;
	pid_t child;

	if (argc == 1) {
		for (int fd = 3; fd < 1024; fd++) {
			close(fd);
		}
		setrlimit(RLIMIT_NOFILE, &few);
		execl("/proc/self/exe", argv[0], "again", (char *)NULL);
		return 1;
	}
	show("parent");
	child = fork();
	if (child == 0) {
		show("child");
		_exit(3);
	}
	waitpid(child, &status, 0);
	closefrom(3);
	show("after closefrom");
	close_range(3, ~0u, 0);
	show("after close_range");
	return WEXITSTATUS(status);
}
