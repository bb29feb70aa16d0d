/* SPDX-License-Identifier: MIT */
/* SHOWS a child of a threaded parent that ends by exit(): the parent's other threads and their locks are not its own */
/* NEVER leaked-thread lock-held-at-exit deadlock stuck-wait */
/* RUN clean */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int step, done, tid;

static void *holds(void *arg)
{
	pthread_mutex_lock(&busy);
	step_to(&step, 1);
	until(&step, 2);
	pthread_mutex_unlock(&busy);
	return arg;
}

static void *waits(void *arg)
{
	pthread_mutex_lock(&m);
	publish_tid(&tid);
	while (!done)
		pthread_cond_wait(&cond, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	pthread_t one = start(holds, NULL), two = start(waits, NULL);
	int status = -1;
	pid_t child;

	until(&step, 1);
	until_asleep(&tid);
	child = fork();
	if (!child) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		exit(0);
	}
	waitpid(child, &status, 0);
	step_to(&step, 2);
	pthread_mutex_lock(&m);
	done = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&m);
	finish(one);
	finish(two);
	return status;
}
