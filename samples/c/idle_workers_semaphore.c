/* SPDX-License-Identifier: MIT */
/* SHOWS S82 with semaphores and detached workers: parked at exit, each has worked before */
/* NEVER leaked-thread stuck-wait */
/* RUN clean */
#include "../sample.h"

#define WORKERS 8

static sem_t work, done;
static int tid[WORKERS];

static void *worker(void *arg)
{
	publish_tid(&tid[(intptr_t)arg]);
	for (;;) {
		while (sem_wait(&work) < 0)
			;
		sem_post(&done);
	}
	return NULL;
}

int main(void)
{
	MUST(sem_init(&work, 0, 0));
	MUST(sem_init(&done, 0, 0));
	for (intptr_t i = 0; i < WORKERS; i++)
		MUST(pthread_detach(start(worker, (void *)i)));
	for (int i = 0; i < 100; i++) {
		sem_post(&work);
		sem_wait(&done);
	}
	for (int i = 0; i < WORKERS; i++)
		until_asleep(&tid[i]);
	return 0;
}
