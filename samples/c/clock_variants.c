/* SPDX-License-Identifier: MIT */
/* SHOWS every timed and clock variant of the family, successful and timed out, in one lock order */
/* NEVER unlock-not-owned unlock-not-locked lock-held-at-thread-exit */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;

static void *worker(void *arg)
{
	for (int i = 0; i < 30; i++) {
		struct timespec real = in_ms(CLOCK_REALTIME, 600000),
				mono = in_ms(CLOCK_MONOTONIC, 600000);

		MUST(pthread_mutex_timedlock(&m, &real));
		MUST(pthread_mutex_unlock(&m));
		MUST(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &mono));
		MUST(pthread_mutex_unlock(&m));
		MUST(pthread_mutex_clocklock(&m, CLOCK_REALTIME, &real));
		MUST(pthread_mutex_unlock(&m));
		MUST(pthread_rwlock_timedrdlock(&rw, &real));
		MUST(pthread_rwlock_unlock(&rw));
		MUST(pthread_rwlock_timedwrlock(&rw, &real));
		MUST(pthread_rwlock_unlock(&rw));
		MUST(pthread_rwlock_clockrdlock(&rw, CLOCK_MONOTONIC, &mono));
		MUST(pthread_rwlock_unlock(&rw));
		MUST(pthread_rwlock_clockwrlock(&rw, CLOCK_MONOTONIC, &mono));
		MUST(pthread_rwlock_unlock(&rw));
		MUST(sem_timedwait(&sem, &real));
		MUST(sem_post(&sem));
		MUST(sem_clockwait(&sem, CLOCK_MONOTONIC, &mono));
		MUST(sem_post(&sem));
	}
	return arg;
}

int main(void)
{
	MUST(sem_init(&sem, 0, 1));
	run_two(worker, worker);
	MUST(sem_destroy(&sem));
	return 0;
}
