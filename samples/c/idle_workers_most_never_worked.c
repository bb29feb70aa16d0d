/* SPDX-License-Identifier: MIT */
/* SHOWS S82 with a lazy load: one worker of eight got all the jobs, the other seven never left the same wait */
/* NEVER leaked-thread stuck-wait */
/* RUN clean */
#include "../sample.h"

#define WORKERS 8

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int jobs, done, tid[WORKERS];

static void *worker(void *arg)
{
	publish_tid(&tid[(intptr_t)arg]);
	pthread_mutex_lock(&m);
	for (;;) {
		while (!jobs)
			pthread_cond_wait(&work, &m);
		jobs--;
		__atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

int main(void)
{
	for (intptr_t i = 0; i < WORKERS; i++) {
		start(worker, (void *)i);
		until_asleep(&tid[i]);
	}
	pthread_mutex_lock(&m);
	jobs++;
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&m);
	until(&done, 1);
	for (int i = 0; i < WORKERS; i++)
		until_asleep(&tid[i]);
	return 0;
}
