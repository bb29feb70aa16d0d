/* SPDX-License-Identifier: MIT */
/*
 * three_kinds.h - a circle of three threads through a mutex, a read-write lock and a semaphore. How each is taken as the outer one is defined
 * before it: OUTER_MUTEX, OUTER_TABLE, OUTER_SLOT.
 */
#ifndef THRUM_TESTS_CONFIRM_THREE_KINDS_H
#define THRUM_TESTS_CONFIRM_THREE_KINDS_H

#include "confirm.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static sem_t slot;

BOTH(first, OUTER_MUTEX, WRITE)
BOTH(second, OUTER_TABLE, SEMAPHORE)
BOTH(third, OUTER_SLOT, MUTEX)

static void go_round(long number)
{
	if (number == 0)
		first(&mutex, &table);
	else if (number == 1)
		second(&table, &slot);
	else
		third(&slot, &mutex);
}

static inline int run_three(void (*part)(long number))
{
	MUST(sem_init(&slot, 0, 1));
	return run_apart(part, 3);
}

#endif
