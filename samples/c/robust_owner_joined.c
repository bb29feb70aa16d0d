/* SPDX-License-Identifier: MIT */
/* SHOWS a thread ends with a robust mutex locked; main takes it, is told that the owner is dead, and joins it with the mutex held: that cannot hang */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

#include <errno.h>

static pthread_mutex_t robust;

static void *die_with_it(void *arg)
{
	MUST(pthread_mutex_lock(&robust));
	return arg;
}

int main(void)
{
	pthread_mutexattr_t attributes;
	pthread_t t;

	MUST(pthread_mutexattr_init(&attributes));
	MUST(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
	MUST(pthread_mutex_init(&robust, &attributes));
	MUST(pthread_create(&t, NULL, die_with_it, NULL));
	for (;;) {
		int rc = pthread_mutex_lock(&robust);

		if (rc == EOWNERDEAD)
			break;
		MUST(rc);
		MUST(pthread_mutex_unlock(&robust));
		sched_yield();
	}
	MUST(pthread_mutex_consistent(&robust));
	MUST(pthread_join(t, NULL));
	MUST(pthread_mutex_unlock(&robust));
	return 0;
}
