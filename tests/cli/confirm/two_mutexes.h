/* SPDX-License-Identifier: MIT */
/*
 * two_mutexes.h - a pair of them, and code that takes both in either order.
 */
#ifndef THRUM_TESTS_CONFIRM_TWO_MUTEXES_H
#define THRUM_TESTS_CONFIRM_TWO_MUTEXES_H

#include "confirm.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

BOTH(forth, MUTEX, MUTEX)
BOTH(back, MUTEX, MUTEX)

static inline void forth_or_back(long number)
{
	if (number)
		back(&b, &a);
	else
		forth(&a, &b);
}

#endif
