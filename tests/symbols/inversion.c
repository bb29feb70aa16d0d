/* SPDX-License-Identifier: MIT */
/*
 * inversion.c - one lock-order inversion, whose words a report must find again however this file was compiled, stripped
 * and moved. Lines are found by their LINE marks. The second thread starts when the first is done, so nothing hangs.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

struct account {
	int id;
	pthread_mutex_t lock;
};

static struct account accounts[4];
static sem_t first_is_done;
static volatile int calls;

__attribute__((always_inline)) static inline void take(pthread_mutex_t *lock)
{
	pthread_mutex_lock(lock); /* LINE take */
	calls++;
}

__attribute__((noinline)) static void transfer(pthread_mutex_t *from, pthread_mutex_t *to)
{
	take(from); /* LINE from */
	take(to);   /* LINE to */
	pthread_mutex_unlock(to);
	pthread_mutex_unlock(from);
	calls++;
}

static pthread_mutex_t *static_lock(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	return &lock;
}

static void *forwards(void *unused)
{
	transfer(&accounts[3].lock, static_lock()); /* LINE forwards */
	sem_post(&first_is_done);
	return unused;
}

static void *backwards(void *unused)
{
	while (sem_wait(&first_is_done))
		;
	transfer(static_lock(), &accounts[3].lock); /* LINE backwards */
	calls++;
	return unused;
}

int main(void)
{
	pthread_t threads[2];

	sem_init(&first_is_done, 0, 0);
	for (int i = 0; i < 4; i++)
		pthread_mutex_init(&accounts[i].lock, NULL);
	pthread_create(&threads[0], NULL, forwards, NULL);
	pthread_create(&threads[1], NULL, backwards, NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
