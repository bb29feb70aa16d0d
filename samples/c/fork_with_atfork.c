/* SPDX-License-Identifier: MIT */
/* SHOWS pthread_atfork handlers that take the locks around fork, as libraries do */
/* NEVER unlock-not-owned lock-held-at-exit lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t pool = PTHREAD_MUTEX_INITIALIZER;
static int stop;

static void before(void)
{
	pthread_mutex_lock(&pool);
}

static void after(void)
{
	pthread_mutex_unlock(&pool);
}

static void *busy(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		pthread_mutex_lock(&pool);
		pthread_mutex_unlock(&pool);
	}
	return arg;
}

int main(void)
{
	pthread_t t;

	MUST(pthread_atfork(before, after, after));
	t = start(busy, NULL);
	for (int i = 0; i < 5; i++) {
		pid_t child = fork();

		if (!child) {
			pthread_mutex_lock(&pool);
			pthread_mutex_unlock(&pool);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
	step_to(&stop, 1);
	finish(t);
	return 0;
}
