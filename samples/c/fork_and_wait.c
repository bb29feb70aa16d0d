/* SPDX-License-Identifier: MIT */
/* SHOWS fork from a threaded program: the child uses its own locks and exits, the parent goes on; fork in a loop */
/* NEVER deadlock leaked-thread lock-held-at-exit stuck-wait */
/* RUN clean */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int stop;

static void *busy(void *arg)
{
	pthread_mutex_t mine = PTHREAD_MUTEX_INITIALIZER;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		pthread_mutex_lock(&mine);
		pthread_mutex_unlock(&mine);
		sched_yield();
	}
	return arg;
}

static void *in_child(void *arg)
{
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	pthread_t t = start(busy, NULL);
	int good = 0;

	for (int i = 0; i < 5; i++) {
		int status;
		pid_t child = fork();

		if (!child) {
			pthread_mutex_lock(&m);
			pthread_mutex_unlock(&m);
			if (i % 2)
				run_two(in_child, in_child);
			_exit(7);
		}
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		waitpid(child, &status, 0);
		good += WIFEXITED(status) && WEXITSTATUS(status) == 7;
	}
	step_to(&stop, 1);
	finish(t);
	printf("%d\n", good);
	return 0;
}
