/* SPDX-License-Identifier: MIT */
/* SHOWS a lock that a key destructor releases after the thread's routine returned (twin): nothing is held at the end */
/* NEVER lock-held-at-thread-exit unlock-not-owned */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_key_t key;

static void release(void *mutex)
{
	MUST(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

static void *worker(void *arg)
{
	MUST(pthread_mutex_lock(&m));
	MUST(pthread_setspecific(key, &m));
	return arg;
}

int main(void)
{
	MUST(pthread_key_create(&key, release));
	for (int i = 0; i < 4; i++)
		run_two(worker, worker);
	return 0;
}
