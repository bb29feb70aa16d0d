/* SPDX-License-Identifier: MIT */
/* SHOWS a pool whose shutdown signals once where it must broadcast: three workers sleep on, main joins for ever */
/* EXPECT stuck-wait confidence=observed stacks=pool_worker,pool_stop threads=3..4 roles=waits locks=pool */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#define WORKERS 4

static struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	int jobs, stopping, idle;
	pthread_t worker[WORKERS];
	int tid[WORKERS];
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };

static void *pool_worker(void *arg)
{
	publish_tid(&pool.tid[(intptr_t)arg]);
	pthread_mutex_lock(&pool.lock);
	for (;;) {
		while (!pool.jobs && !pool.stopping) {
			pool.idle++;
			pthread_cond_wait(&pool.work, &pool.lock);
			pool.idle--;
		}
		if (pool.stopping)
			break;
		pool.jobs--;
	}
	pthread_mutex_unlock(&pool.lock);
	return NULL;
}

static NOINLINE void pool_stop(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.stopping = 1;
	pthread_cond_signal(&pool.work); /* the bug */
	pthread_mutex_unlock(&pool.lock);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(pool.worker[i], NULL);
}

/* Asleep alone is not enough: on a busy machine a worker may sleep for the lock on its way to the wait. */
static int all_idle(void)
{
	int idle;

	pthread_mutex_lock(&pool.lock);
	idle = pool.idle == WORKERS && pool.jobs == 0;
	pthread_mutex_unlock(&pool.lock);
	return idle;
}

int main(void)
{
	for (intptr_t i = 0; i < WORKERS; i++)
		pool.worker[i] = start(pool_worker, (void *)i);
	for (int i = 0; i < 8; i++) {
		pthread_mutex_lock(&pool.lock);
		pool.jobs++;
		pthread_cond_signal(&pool.work);
		pthread_mutex_unlock(&pool.lock);
	}
	while (!all_idle())
		sched_yield();
	for (int i = 0; i < WORKERS; i++)
		until_asleep(&pool.tid[i]);
	pool_stop();
	return 0;
}
