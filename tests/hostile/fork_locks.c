/* SPDX-License-Identifier: MIT */
/*
 * fork_locks.c - forks 100 times while four threads lock, with pthread_atfork; children lock,
 * create threads and free. Prints the failures: 0.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static volatile int stop;

static void *work(void *p)
{
	while (!stop) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
	return p;
}
static void before(void)
{
	pthread_mutex_lock(&m);
}
static void after(void)
{
	pthread_mutex_unlock(&m);
}
static void child(void)
{
	pthread_t t;

	stop = 1;
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	if (pthread_create(&t, NULL, work, NULL) || pthread_join(t, NULL)) {
		_exit(1);
	}
	free(malloc(100));
	_exit(7);
}

int main(void)
{
	pthread_t t[4];
	int bad = 0, status;

	pthread_atfork(before, after, after);
	for (int i = 0; i < 4; i++) {
		pthread_create(&t[i], NULL, work, NULL);
	}
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			child();
		}
		bad += waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		       WEXITSTATUS(status) != 7;
	}
	stop = 1;
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
	}
	printf("%d\n", bad);
	return bad != 0;
}
