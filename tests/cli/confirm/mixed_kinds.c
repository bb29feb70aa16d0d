/* SPDX-License-Identifier: MIT */
/* FEASIBLE a circle of three kinds, gone round twice: mutex, read-write lock, semaphore */
#include "confirm.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static sem_t slot;

BOTH(first, MUTEX, WRITE)
BOTH(second, READ, SEMAPHORE)
BOTH(third, SEMAPHORE, MUTEX)

static void part(long number)
{
	for (int i = 0; i < 2; i++) {
		if (number == 0)
			first(&mutex, &table);
		else if (number == 1)
			second(&table, &slot);
		else
			third(&slot, &mutex);
	}
}

int main(void)
{
	MUST(sem_init(&slot, 0, 1));
	return run_apart(part, 3);
}
