/* SPDX-License-Identifier: MIT */
/* SHOWS S44: EOWNERDEAD, and unlocked without pthread_mutex_consistent: nobody can take it again */
/* EXPECT lock-not-recoverable confidence=observed level=error stacks=careless locks=m */
/* NEVER unlock-not-locked unlock-not-owned */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m;

static void *dies(void *arg)
{
	MUST(pthread_mutex_lock(&m));
	return arg;
}

static void *careless(void *arg)
{
	GIVES(EOWNERDEAD, pthread_mutex_lock(&m));
	MUST(pthread_mutex_unlock(&m));
	GIVES(ENOTRECOVERABLE, pthread_mutex_lock(&m));
	return arg;
}

int main(void)
{
	pthread_mutexattr_t robust;

	MUST(pthread_mutexattr_init(&robust));
	MUST(pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST));
	MUST(pthread_mutex_init(&m, &robust));
	finish(start(dies, NULL));
	finish(start(careless, NULL));
	MUST(pthread_mutex_destroy(&m));
	return 0;
}
