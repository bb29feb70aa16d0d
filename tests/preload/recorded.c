/* SPDX-License-Identifier: MIT */
/*
 * recorded.c - a race that is there or is not, and what else can happen to a program meanwhile: for recorded.py.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static long counter;
static atomic_long sum;
static char block[1 << 16];

static void *race(void *arg)
{
	for (int i = 0; i < 1000; i++)
		counter++;
	return arg;
}

static void *keep_apart(void *arg)
{
	for (int i = 0; i < 1000; i++)
		atomic_fetch_add(&sum, 1);
	return arg;
}

static void *fill(void *arg)
{
	for (int n = 0; n < 50; n++)
		for (size_t i = arg ? 1 : 0; i < sizeof(block); i += 2)
			block[i] = (char)n;
	return arg;
}

static void two(void *(*f)(void *))
{
	pthread_t a, b;

	if (pthread_create(&a, NULL, f, NULL) || pthread_create(&b, NULL, f, block))
		abort();
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int status;
	pid_t child;

	if (!strcmp(what, "clean")) {
		two(keep_apart);
	} else if (!strcmp(what, "fork")) {
		two(keep_apart);
		child = fork();
		if (child == 0) {
			two(race);
			_exit(3);
		}
		waitpid(child, &status, 0);
		return WEXITSTATUS(status) == 3 ? 0 : 1;
	} else if (!strcmp(what, "kill")) {
		two(race);
		kill(getpid(), SIGKILL);
	} else if (!strcmp(what, "much")) {
		two(fill);
	} else {
		two(race);
	}
	return sum == 0 || sum == 2000 ? 0 : 2;
}
