/* SPDX-License-Identifier: MIT */
/* SCENARIO S74: streams are closed and others get their memory; locked twice, tried, in a forked child, and before and after a mutex */
/* NEVER lock-order-inversion unlock-not-owned unlock-not-locked double-lock self-deadlock fork-with-lock-held lock-held-at-exit */
/* RUN clean */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int held, forked;

static FILE *open_one(void)
{
	FILE *f = fopen("/dev/null", "w");

	if (!f)
		exit(3);
	return f;
}

static void *stream_first(void *arg)
{
	FILE *f = open_one();

	flockfile(f);
	flockfile(f);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	funlockfile(f);
	funlockfile(f);
	fclose(f);
	return arg;
}

static void *mutex_first(void *arg)
{
	FILE *f = open_one();

	pthread_mutex_lock(&m);
	if (ftrylockfile(f))
		exit(4);
	funlockfile(f);
	flockfile(f);
	funlockfile(f);
	pthread_mutex_unlock(&m);
	fclose(f);
	return arg;
}

/* A child of fork gets all streams unlocked. */
static void *holds_stdout(void *arg)
{
	flockfile(stdout);
	step_to(&held, 1);
	until(&forked, 1);
	funlockfile(stdout);
	return arg;
}

int main(void)
{
	pthread_t t;
	int status = 1;
	pid_t child;

	for (int i = 0; i < 20; i++)
		finish(start(i % 2 ? mutex_first : stream_first, NULL));
	t = start(holds_stdout, NULL);
	until(&held, 1);
	child = fork();
	if (child == 0) {
		flockfile(stdout);
		funlockfile(stdout);
		_exit(0);
	}
	waitpid(child, &status, 0);
	step_to(&forked, 1);
	finish(t);
	return status;
}
