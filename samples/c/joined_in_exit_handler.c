/* SPDX-License-Identifier: MIT */
/* SHOWS a thread that is joined by an exit handler after main returned (twin of leaked-thread) */
/* NEVER leaked-thread */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static int stopping;

static void *worker(void *arg)
{
	pthread_mutex_lock(&m);
	while (!stopping)
		pthread_cond_wait(&cond, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void stop(void)
{
	pthread_mutex_lock(&m);
	stopping = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&m);
	finish(thread);
}

int main(void)
{
	atexit(stop);
	thread = start(worker, NULL);
	return 0;
}
