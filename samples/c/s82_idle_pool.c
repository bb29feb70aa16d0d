/* SPDX-License-Identifier: MIT */
/* SCENARIO S82: a thread pool with 64 idle workers when main returns */
/* NEVER leaked-thread stuck-wait */
/* RUN clean */
#include "../sample.h"

#define WORKERS 64

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int jobs, finished;
static int tid[WORKERS];

static NOINLINE void take_job(void)
{
	pthread_mutex_lock(&m);
	while (!jobs)
		pthread_cond_wait(&work, &m);
	jobs--;
	pthread_mutex_unlock(&m);
}

static void *worker(void *arg)
{
	publish_tid(&tid[(intptr_t)arg]);
	for (;;) {
		take_job();
		__atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

int main(void)
{
	for (intptr_t i = 0; i < WORKERS; i++)
		start(worker, (void *)i);
	for (int i = 0; i < WORKERS; i++)
		until_asleep(&tid[i]);
	for (int i = 1; i <= 200; i++) {
		pthread_mutex_lock(&m);
		jobs++;
		pthread_cond_signal(&work);
		pthread_mutex_unlock(&m);
		until(&finished, i);
	}
	for (int i = 0; i < WORKERS; i++)
		until_asleep(&tid[i]);
	printf("%d\n", finished);
	return 0;
}
