/* SPDX-License-Identifier: MIT */
/* FEASIBLE the outer locks are taken by trying: a mutex, a read-write lock for reading, a semaphore, in a circle of three */
#include "confirm.h"

#define TRIED_MUTEX pthread_mutex_t, pthread_mutex_trylock, pthread_mutex_unlock
#define TRIED_READ pthread_rwlock_t, pthread_rwlock_tryrdlock, pthread_rwlock_unlock
#define TRIED_SEMAPHORE sem_t, sem_trywait, sem_post

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static sem_t slot;

BOTH(first, TRIED_MUTEX, WRITE)
BOTH(second, TRIED_READ, SEMAPHORE)
BOTH(third, TRIED_SEMAPHORE, MUTEX)

static void part(long number)
{
	if (number == 0)
		first(&mutex, &table);
	else if (number == 1)
		second(&table, &slot);
	else
		third(&slot, &mutex);
}

int main(void)
{
	MUST(sem_init(&slot, 0, 1));
	return run_apart(part, 3);
}
