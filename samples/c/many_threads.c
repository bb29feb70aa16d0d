/* SPDX-License-Identifier: MIT */
/* SHOWS 300 threads alive at once, twice, each with its own lock and a shared one */
/* NEVER lock-order-inversion leaked-thread */
/* RUN clean */
#include "../sample.h"

#define THREADS 300

static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t own[THREADS];
static pthread_barrier_t all;
static int sum;

static void *worker(void *arg)
{
	intptr_t me = (intptr_t)arg;

	pthread_barrier_wait(&all);
	for (int i = 0; i < 20; i++) {
		pthread_mutex_lock(&own[me]);
		pthread_mutex_lock(&shared);
		sum++;
		pthread_mutex_unlock(&shared);
		pthread_mutex_unlock(&own[me]);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	pthread_attr_t small;

	MUST(pthread_attr_init(&small));
	MUST(pthread_attr_setstacksize(&small, 128 * 1024));
	MUST(pthread_barrier_init(&all, NULL, THREADS));
	for (int i = 0; i < THREADS; i++)
		MUST(pthread_mutex_init(&own[i], NULL));
	for (int round = 0; round < 2; round++) {
		for (intptr_t i = 0; i < THREADS; i++)
			MUST(pthread_create(&t[i], &small, worker, (void *)i));
		for (int i = 0; i < THREADS; i++)
			finish(t[i]);
	}
	MUST(pthread_barrier_destroy(&all));
	printf("%d\n", sum);
	return 0;
}
