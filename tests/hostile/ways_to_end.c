/* SPDX-License-Identifier: MIT */
/*
 * ways_to_end.c - children end in every way there is, with other threads running; the parent prints
 * the statuses.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static void *spin(void *p)
{
	for (;;) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
	return p;
}
static void *leave(void *p)
{
	(void)p;
	exit(14);
}
static void at_exit(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
}
static int end(int way)
{
	pthread_t t;

	atexit(at_exit);
	at_quick_exit(at_exit);
	pthread_create(&t, NULL, spin, NULL);
	switch (way) {
	case 0:
		return 10;
	case 1:
		exit(11);
	case 2:
		_exit(12);
	case 3:
		quick_exit(13);
	case 4:
		pthread_create(&t, NULL, leave, NULL);
		pthread_exit(NULL);
	case 5:
		raise(SIGKILL);
		break;
	case 6:
		abort();
	case 7:
		raise(SIGTERM);
		break;
	default:
		_Exit(15);
	}
	return 99;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		return end(atoi(argv[1]));
	}
	for (int way = 0; way < 9; way++) {
		char command[4096];
		int status;

		snprintf(command, sizeof(command), "exec '%s' %d 2>/dev/null", argv[0], way);
		status = system(command);
		printf("%d: %d %d\n", way, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
	return 0;
}
