/* SPDX-License-Identifier: MIT */
/* FEASIBLE two read-write locks, each held for reading and wanted for writing */
#include "confirm.h"

static pthread_rwlock_t one = PTHREAD_RWLOCK_INITIALIZER, two = PTHREAD_RWLOCK_INITIALIZER;

static NOINLINE void move(pthread_rwlock_t *from, pthread_rwlock_t *to)
{
	pthread_rwlock_rdlock(from);
	pthread_rwlock_wrlock(to);
	pthread_rwlock_unlock(to);
	pthread_rwlock_unlock(from);
}

static void *work(void *arg)
{
	if (arg)
		move(&two, &one);
	else
		move(&one, &two);
	return NULL;
}

int main(void)
{
	run_apart(work, 2);
	return 0;
}
