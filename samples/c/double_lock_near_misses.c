/* SPDX-License-Identifier: MIT */
/* SHOWS what is no double lock: recursive relocks, a trylock of an own lock, nested reads */
/* NEVER double-lock self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t strict = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

static NOINLINE void count_down(int n)
{
	MUST(pthread_mutex_lock(&recursive));
	if (n)
		count_down(n - 1);
	MUST(pthread_mutex_unlock(&recursive));
}

static void *worker(void *arg)
{
	for (int i = 0; i < 10; i++) {
		count_down(10);
		MUST(pthread_mutex_lock(&plain));
		GIVES(EBUSY, pthread_mutex_trylock(&plain));
		MUST(pthread_mutex_unlock(&plain));
		MUST(pthread_mutex_lock(&strict));
		GIVES(EBUSY, pthread_mutex_trylock(&strict));
		MUST(pthread_mutex_unlock(&strict));
		MUST(pthread_mutex_lock(&recursive));
		MUST(pthread_mutex_trylock(&recursive));
		MUST(pthread_mutex_unlock(&recursive));
		MUST(pthread_mutex_unlock(&recursive));
		MUST(pthread_rwlock_rdlock(&rw));
		MUST(pthread_rwlock_rdlock(&rw));
		MUST(pthread_rwlock_unlock(&rw));
		MUST(pthread_rwlock_unlock(&rw));
	}
	return arg;
}

int main(void)
{
	run_two(worker, worker);
	return 0;
}
