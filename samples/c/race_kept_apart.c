/* SPDX-License-Identifier: MIT */
/* SHOWS what two threads share is kept apart by a mutex, a read-write lock, a semaphore, a spin lock, each for its own */
/* NEVER data-race */
/* ALLOW lock-contention|hold-time */
/* RUN once full limit=120 options=--races=auto clean */
/* BUILD needs=watchpoints flags=-O2 */
#include "race.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t semaphore;
static long by_mutex, by_rwlock, by_spin, by_semaphore;

static NOINLINE void use(long n)
{
	switch (n & 3) {
	case 0:
		pthread_mutex_lock(&mutex);
		by_mutex++;
		pthread_mutex_unlock(&mutex);
		break;
	case 1:
		if (n & 4) {
			pthread_rwlock_wrlock(&rwlock);
			by_rwlock++;
		} else {
			pthread_rwlock_rdlock(&rwlock);
			if (by_rwlock < 0)
				abort();
		}
		pthread_rwlock_unlock(&rwlock);
		break;
	case 2:
		pthread_spin_lock(&spin);
		by_spin++;
		pthread_spin_unlock(&spin);
		break;
	default:
		sem_wait(&semaphore);
		by_semaphore++;
		sem_post(&semaphore);
		break;
	}
}

int main(void)
{
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	sem_init(&semaphore, 0, 1);
	race_run(use, 2000);
	return 0;
}
