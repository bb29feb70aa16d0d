/* SPDX-License-Identifier: MIT */
/* FEASIBLE the outer lock is recursive and was taken twice; both threads go round many times */
#include "confirm.h"

static pthread_mutex_t reentrant = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
		       plain = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void forth(void)
{
	pthread_mutex_lock(&reentrant);
	pthread_mutex_lock(&reentrant);
	pthread_mutex_unlock(&reentrant);
	pthread_mutex_lock(&plain);
	pthread_mutex_unlock(&plain);
	pthread_mutex_unlock(&reentrant);
}

BOTH(back, MUTEX, MUTEX)

static void part(long number)
{
	for (int i = 0; i < 5; i++) {
		if (number)
			back(&plain, &reentrant);
		else
			forth();
	}
}

int main(void)
{
	return run_apart(part, 2);
}
