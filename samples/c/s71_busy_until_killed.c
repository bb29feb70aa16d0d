/* SPDX-License-Identifier: MIT */
/* SCENARIO S71: four threads take and release locks until somebody ends the process; all is correct */
/* NEVER deadlock stuck-wait lock-order-inversion leaked-thread unlock-not-owned */
/* ALLOW lock-held-at-exit */
/* RUN timeout=1 clean */
#include "../sample.h"

#define WORKERS 4

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static long work;

static void *worker(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&outer);
		pthread_mutex_lock(&inner);
		work++;
		pthread_mutex_unlock(&inner);
		pthread_mutex_unlock(&outer);
		pthread_rwlock_rdlock(&table);
		pthread_rwlock_unlock(&table);
	}
	return arg;
}

int main(void)
{
	pthread_t t[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		t[i] = start(worker, NULL);
	for (int i = 0; i < WORKERS; i++)
		finish(t[i]);
	return 0;
}
