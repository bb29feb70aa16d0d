/* SPDX-License-Identifier: MIT */
/*
 * abba hang|pass|kill - two threads take two mutexes in opposite orders. "hang": at the same time, and they deadlock; says
 * "ready" just before. "pass": one after the other, ordered by a pipe that the recorder does not know, so that nothing rules
 * the deadlock out. "kill": as pass, then the program kills itself with SIGKILL.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static int order[2];
static int hang;

static void meet(int turn)
{
	char byte = 0;

	if (hang)
		pthread_barrier_wait(&both);
	else if (turn && read(order[0], &byte, 1) != 1)
		_exit(99);
}

static void *forward(void *unused)
{
	pthread_mutex_lock(&first);
	if (hang)
		meet(0);
	pthread_mutex_lock(&second);
	pthread_mutex_unlock(&second);
	pthread_mutex_unlock(&first);
	if (write(order[1], "", 1) != 1)
		_exit(99);
	return unused;
}

static void *backward(void *unused)
{
	if (!hang)
		meet(1);
	pthread_mutex_lock(&second);
	if (hang)
		meet(1);
	pthread_mutex_lock(&first);
	pthread_mutex_unlock(&first);
	pthread_mutex_unlock(&second);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];

	hang = argc > 1 && !strcmp(argv[1], "hang");
	if (pipe(order) || pthread_barrier_init(&both, NULL, 2))
		return 99;
	puts("ready");
	fflush(stdout);
	if (pthread_create(&threads[0], NULL, forward, NULL) ||
	    pthread_create(&threads[1], NULL, backward, NULL))
		return 99;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	if (argc > 1 && !strcmp(argv[1], "kill"))
		kill(getpid(), SIGKILL);
	return 0;
}
