/* SPDX-License-Identifier: MIT */
/* FEASIBLE a circle of three kinds: mutex, read-write lock, semaphore */
#include "confirm.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static sem_t slot;

static NOINLINE void first(void)
{
	pthread_mutex_lock(&mutex);
	pthread_rwlock_wrlock(&table);
	pthread_rwlock_unlock(&table);
	pthread_mutex_unlock(&mutex);
}

static NOINLINE void second(void)
{
	pthread_rwlock_rdlock(&table);
	sem_wait(&slot);
	sem_post(&slot);
	pthread_rwlock_unlock(&table);
}

static NOINLINE void third(void)
{
	sem_wait(&slot);
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	sem_post(&slot);
}

static void *work(void *arg)
{
	void (*const part[])(void) = { first, second, third };

	for (int i = 0; i < 2; i++)
		part[(long)arg]();
	return NULL;
}

int main(void)
{
	sem_init(&slot, 0, 1);
	run_apart(work, 3);
	return 0;
}
