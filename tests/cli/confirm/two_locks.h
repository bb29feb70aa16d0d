/* SPDX-License-Identifier: MIT */
/*
 * two_locks.h - two mutexes, and the code that takes them in either order.
 */
#ifndef THRUM_TESTS_CONFIRM_TWO_LOCKS_H
#define THRUM_TESTS_CONFIRM_TWO_LOCKS_H

#include "confirm.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void forth(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static NOINLINE void back(void)
{
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

#endif
