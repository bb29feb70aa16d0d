/* SPDX-License-Identifier: MIT */
/* everything.c - a little of each family, the same output every time: what beside.py runs beside other preloads. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 1000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t together;
static pthread_key_t key;
static sem_t done;
static int count;

static void prepare(void)
{
	pthread_key_create(&key, free);
}

static void *work(void *leaves)
{
	pthread_once(&once, prepare);
	pthread_setspecific(key, malloc(100));
	for (int i = 0; i < ROUNDS; i++) {
		free(malloc(1 + (size_t)i));
		pthread_mutex_lock(&mutex);
		count++;
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&mutex);
	}
	pthread_rwlock_rdlock(&table);
	pthread_rwlock_unlock(&table);
	pthread_rwlock_wrlock(&table);
	pthread_rwlock_unlock(&table);
	pthread_barrier_wait(&together);
	sem_post(&done);
	if (leaves) {
		pthread_exit(NULL);
	}
	return NULL;
}

int main(void)
{
	pthread_t ids[THREADS];
	int status = 0;

	sem_init(&done, 0, 0);
	pthread_barrier_init(&together, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&ids[i], NULL, work, i & 1 ? &ids[i] : NULL)) {
			return 2;
		}
	}
	pthread_mutex_lock(&mutex);
	while (count < THREADS * ROUNDS) {
		pthread_cond_wait(&changed, &mutex);
	}
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < THREADS; i++) {
		sem_wait(&done);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(ids[i], NULL);
	}
	sem_destroy(&done);
	pthread_barrier_destroy(&together);
	pid_t child = fork();

	if (!child) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
		_exit(3);
	}
	waitpid(child, &status, 0);
	printf("%d rounds, the child ended with %d\n", count, WEXITSTATUS(status));
	return 0;
}
