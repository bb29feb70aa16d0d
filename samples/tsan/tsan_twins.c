/* SPDX-License-Identifier: MIT */
/* SHOWS the same counter kept by a mutex, a read-write lock, a spinlock, atomics, a condition variable, a semaphore, a barrier, once and join: silent */
/* NEVER data-race lock-order-inversion unlock-not-locked leaked-thread */
/* RUN clean */
#include "../sample.h"

enum { ROUNDS = 100 };

static long by_mutex, by_rwlock, by_spin, handed, posted, phased, made, joined;
static _Atomic long atomic;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t phase;
static sem_t semaphore;
static int is_handed;

static void make(void)
{
	made = 7;
}

static void *work(void *number)
{
	long sum = 0;

	MUST(pthread_once(&once, make));
	sum += made;
	for (int i = 0; i < ROUNDS; i++) {
		MUST(pthread_mutex_lock(&mutex));
		by_mutex++;
		MUST(pthread_mutex_unlock(&mutex));
		MUST(pthread_rwlock_wrlock(&rwlock));
		by_rwlock++;
		MUST(pthread_rwlock_unlock(&rwlock));
		MUST(pthread_rwlock_rdlock(&rwlock));
		sum += by_rwlock;
		MUST(pthread_rwlock_unlock(&rwlock));
		MUST(pthread_spin_lock(&spin));
		by_spin++;
		MUST(pthread_spin_unlock(&spin));
		atomic++;
	}
	if (number) {
		phased = 1;
		posted = 1;
		MUST(sem_post(&semaphore));
		MUST(pthread_mutex_lock(&mutex));
		handed = 1;
		is_handed = 1;
		MUST(pthread_cond_signal(&cond));
		MUST(pthread_mutex_unlock(&mutex));
	} else {
		MUST(sem_wait(&semaphore));
		posted++;
		MUST(pthread_mutex_lock(&mutex));
		while (!is_handed)
			MUST(pthread_cond_wait(&cond, &mutex));
		MUST(pthread_mutex_unlock(&mutex));
		handed++;
	}
	pthread_barrier_wait(&phase);
	if (!number)
		phased++;
	if (number)
		joined++;
	return (void *)sum;
}

int main(void)
{
	pthread_t one, two;

	MUST(pthread_spin_init(&spin, 0));
	MUST(sem_init(&semaphore, 0, 0));
	MUST(pthread_barrier_init(&phase, NULL, 2));
	MUST(pthread_create(&one, NULL, work, NULL));
	MUST(pthread_create(&two, NULL, work, &one));
	MUST(pthread_join(two, NULL));
	MUST(pthread_join(one, NULL));
	joined++;
	return by_mutex == by_rwlock && by_spin == atomic && joined == 2 && phased == 2 ? 0 : 3;
}
