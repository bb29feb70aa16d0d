/* SPDX-License-Identifier: MIT */
/*
 * proven.h - what samples of recorded builds share: two mutexes of which one is taken in the other, what both protect, and the step by which
 * one thread's part comes after another's, unseen.
 */
#ifndef THRUM_SAMPLES_PROVEN_H
#define THRUM_SAMPLES_PROVEN_H

#include "sample.h"

#define MAYBE __attribute__((unused)) /* not every sample needs it */

static MAYBE pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static long sum;
static MAYBE int step;

static inline void take(pthread_mutex_t *lock)
{
	MUST(pthread_mutex_lock(lock));
}

static inline void give(pthread_mutex_t *lock)
{
	MUST(pthread_mutex_unlock(lock));
}

/* Takes `outer`, then `inner`, changes the sum, and gives both back. */
static inline void nest(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
	take(outer);
	take(inner);
	sum++;
	give(inner);
	give(outer);
}

#endif
