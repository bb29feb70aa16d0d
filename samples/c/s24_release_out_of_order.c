/* SPDX-License-Identifier: MIT */
/* SCENARIO S24: locks are released in another order than they were taken */
/* NEVER unlock-not-owned unlock-not-locked lock-order-inversion lock-held-at-thread-exit */
/* RUN clean */
#include "../sample.h"

#define LOCKS 6

static pthread_mutex_t lock[LOCKS];

static void *shuffler(void *arg)
{
	unsigned seed = 12345;

	for (int round = 0; round < 200; round++) {
		int order[LOCKS];

		for (int i = 0; i < LOCKS; i++) {
			order[i] = i;
			pthread_mutex_lock(&lock[i]);
		}
		for (int i = LOCKS - 1; i > 0; i--) {
			int j = (int)((seed = seed * 1664525u + 1013904223u) >> 8) % (i + 1);
			int t = order[i];

			order[i] = order[j];
			order[j] = t;
		}
		for (int i = 0; i < LOCKS; i++)
			MUST(pthread_mutex_unlock(&lock[order[i]]));
	}
	return arg;
}

int main(void)
{
	pthread_mutexattr_t strict;

	MUST(pthread_mutexattr_init(&strict));
	MUST(pthread_mutexattr_settype(&strict, PTHREAD_MUTEX_ERRORCHECK));
	for (int i = 0; i < LOCKS; i++)
		MUST(pthread_mutex_init(&lock[i], &strict));
	run_two(shuffler, shuffler);
	for (int i = 0; i < LOCKS; i++)
		MUST(pthread_mutex_destroy(&lock[i]));
	return 0;
}
