/* SPDX-License-Identifier: MIT */
/* SHOWS S44: the owner of a robust mutex ends, the next one gets EOWNERDEAD and makes it consistent */
/* NEVER lock-not-recoverable lock-held-at-thread-exit unlock-not-owned */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m;

static void *dies(void *arg)
{
	MUST(pthread_mutex_lock(&m));
	return arg;
}

static void *recovers(void *arg)
{
	GIVES(EOWNERDEAD, pthread_mutex_lock(&m));
	MUST(pthread_mutex_consistent(&m));
	MUST(pthread_mutex_unlock(&m));
	MUST(pthread_mutex_lock(&m));
	MUST(pthread_mutex_unlock(&m));
	return arg;
}

static void *recovers_by_trylock(void *arg)
{
	GIVES(EOWNERDEAD, pthread_mutex_trylock(&m));
	MUST(pthread_mutex_consistent(&m));
	MUST(pthread_mutex_unlock(&m));
	return arg;
}

int main(void)
{
	pthread_mutexattr_t robust;

	MUST(pthread_mutexattr_init(&robust));
	MUST(pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST));
	MUST(pthread_mutex_init(&m, &robust));
	finish(start(dies, NULL));
	finish(start(recovers, NULL));
	finish(start(dies, NULL));
	finish(start(recovers_by_trylock, NULL));
	MUST(pthread_mutex_destroy(&m));
	return 0;
}
