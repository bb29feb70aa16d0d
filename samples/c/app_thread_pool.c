/* SPDX-License-Identifier: MIT */
/* SHOWS a correct thread pool: bounded queue, waiting for idle, shutdown by broadcast, all workers joined */
/* NEVER stuck-wait leaked-thread lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#define WORKERS 4
#define ROOM 16

struct job {
	void (*run)(long);
	long arg;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t not_empty, not_full, idle;
	struct job queue[ROOM];
	int head, count, busy, stopping;
	pthread_t worker[WORKERS];
};

static long result;

static void *pool_worker(void *arg)
{
	struct pool *p = (struct pool *)arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct job job;

		while (!p->count && !p->stopping)
			pthread_cond_wait(&p->not_empty, &p->lock);
		if (!p->count)
			break;
		job = p->queue[p->head];
		p->head = (p->head + 1) % ROOM;
		p->count--;
		p->busy++;
		pthread_cond_signal(&p->not_full);
		pthread_mutex_unlock(&p->lock);
		job.run(job.arg);
		pthread_mutex_lock(&p->lock);
		p->busy--;
		if (!p->busy && !p->count)
			pthread_cond_broadcast(&p->idle);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void pool_start(struct pool *p)
{
	memset(p, 0, sizeof(*p));
	MUST(pthread_mutex_init(&p->lock, NULL));
	MUST(pthread_cond_init(&p->not_empty, NULL));
	MUST(pthread_cond_init(&p->not_full, NULL));
	MUST(pthread_cond_init(&p->idle, NULL));
	for (int i = 0; i < WORKERS; i++)
		p->worker[i] = start(pool_worker, p);
}

static void pool_submit(struct pool *p, void (*run)(long), long arg)
{
	pthread_mutex_lock(&p->lock);
	while (p->count == ROOM)
		pthread_cond_wait(&p->not_full, &p->lock);
	p->queue[(p->head + p->count++) % ROOM] = (struct job){ run, arg };
	pthread_cond_signal(&p->not_empty);
	pthread_mutex_unlock(&p->lock);
}

static void pool_wait_idle(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (p->busy || p->count)
		pthread_cond_wait(&p->idle, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

static void pool_stop(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = 1;
	pthread_cond_broadcast(&p->not_empty);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < WORKERS; i++)
		finish(p->worker[i]);
	MUST(pthread_cond_destroy(&p->not_empty));
	MUST(pthread_cond_destroy(&p->not_full));
	MUST(pthread_cond_destroy(&p->idle));
	MUST(pthread_mutex_destroy(&p->lock));
}

static void square(long n)
{
	__atomic_add_fetch(&result, n * n, __ATOMIC_SEQ_CST);
}

int main(void)
{
	struct pool pool;

	pool_start(&pool);
	for (int round = 0; round < 3; round++) {
		for (long i = 0; i < 100; i++)
			pool_submit(&pool, square, i);
		pool_wait_idle(&pool);
	}
	pool_stop(&pool);
	printf("%ld\n", result);
	return 0;
}
