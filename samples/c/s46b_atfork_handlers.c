/* SPDX-License-Identifier: MIT */
/* SCENARIO S46b,I9: correct pthread_atfork handlers around a busy lock: children lock it, threads and all, and nothing is wrong */
/* NEVER fork-with-lock-held unlock-not-owned unlock-not-locked lock-held-at-exit lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t arena = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int stop;

static void before(void)
{
	pthread_mutex_lock(&arena);
	pthread_mutex_lock(&log_lock);
}

static void after(void)
{
	pthread_mutex_unlock(&log_lock);
	pthread_mutex_unlock(&arena);
}

static void use(void)
{
	pthread_mutex_lock(&arena);
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	pthread_mutex_unlock(&arena);
}

static void *busy(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		use();
	return arg;
}

static void *once(void *arg)
{
	use();
	return arg;
}

int main(void)
{
	pthread_t t[3];

	MUST(pthread_atfork(before, after, after));
	for (int i = 0; i < 3; i++)
		t[i] = start(busy, NULL);
	for (int i = 0; i < 20; i++) {
		int status = -1;
		pid_t child = fork();

		if (!child) {
			use();
			run_two(once, once);
			_exit(0);
		}
		waitpid(child, &status, 0);
		GIVES(0, status);
	}
	step_to(&stop, 1);
	for (int i = 0; i < 3; i++)
		finish(t[i]);
	return 0;
}
