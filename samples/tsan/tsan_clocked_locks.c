/* SPDX-License-Identifier: MIT */
/* SHOWS pthread_mutex_clocklock, pthread_rwlock_clock*lock and sem_clockwait, for which ThreadSanitizer has no interceptors: it is told, and stays silent */
/* NEVER data-race unlock-not-locked lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static long by_mutex, by_rwlock, posted;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t go;
static sem_t semaphore;

static struct timespec in_a_minute(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += 60;
	return t;
}

static void *work(void *number)
{
	struct timespec limit = in_a_minute(), past = { 0 };
	long sum = 0;

	pthread_barrier_wait(&go);
	for (int i = 0; i < 50; i++) {
		MUST(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &limit));
		by_mutex++;
		MUST(pthread_mutex_unlock(&mutex));
		MUST(pthread_rwlock_clockwrlock(&rwlock, CLOCK_MONOTONIC, &limit));
		by_rwlock++;
		MUST(pthread_rwlock_unlock(&rwlock));
		MUST(pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &limit));
		sum += by_rwlock;
		MUST(pthread_rwlock_unlock(&rwlock));
	}
	if (number) {
		posted = 1;
		MUST(sem_post(&semaphore));
	} else {
		MUST(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &limit));
		posted++;
		if (sem_clockwait(&semaphore, CLOCK_MONOTONIC, &past) != -1)
			_exit(3); /* nobody posts again */
	}
	return (void *)sum;
}

int main(void)
{
	pthread_t one, two;

	MUST(sem_init(&semaphore, 0, 0));
	MUST(pthread_barrier_init(&go, NULL, 2));
	MUST(pthread_create(&one, NULL, work, NULL));
	MUST(pthread_create(&two, NULL, work, &one));
	MUST(pthread_join(one, NULL));
	MUST(pthread_join(two, NULL));
	return posted == 2 && by_mutex == 100 ? 0 : 3;
}
