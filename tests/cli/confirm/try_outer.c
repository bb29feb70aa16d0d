/* SPDX-License-Identifier: MIT */
/* FEASIBLE the outer locks are taken by trying: a mutex, a read-write lock for reading, a semaphore, in a circle of three */
#define OUTER_MUTEX pthread_mutex_t, pthread_mutex_trylock, pthread_mutex_unlock
#define OUTER_TABLE pthread_rwlock_t, pthread_rwlock_tryrdlock, pthread_rwlock_unlock
#define OUTER_SLOT sem_t, sem_trywait, sem_post
#include "three_kinds.h"

int main(void)
{
	return run_three(go_round);
}
