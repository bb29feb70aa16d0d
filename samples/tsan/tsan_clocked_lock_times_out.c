/* SPDX-License-Identifier: MIT */
/* SHOWS a clocklock that comes back with a timeout: the variable is written without the lock, and ThreadSanitizer still sees that */
/* EXPECT data-race confidence=observed locks=g_total stacks=impatient,patient */
#include "../sample.h"

static long g_total;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t held, over;

static NOINLINE void *impatient(void *unused)
{
	struct timespec past = { 0 };

	pthread_barrier_wait(&held);
	GIVES(ETIMEDOUT, pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &past));
	g_total++;
	pthread_barrier_wait(&over);
	return unused;
}

static NOINLINE void *patient(void *unused)
{
	MUST(pthread_mutex_lock(&mutex));
	pthread_barrier_wait(&held);
	g_total++;
	pthread_barrier_wait(&over);
	MUST(pthread_mutex_unlock(&mutex));
	return unused;
}

int main(void)
{
	pthread_t one, two;

	MUST(pthread_barrier_init(&held, NULL, 2));
	MUST(pthread_barrier_init(&over, NULL, 2));
	MUST(pthread_create(&one, NULL, impatient, NULL));
	MUST(pthread_create(&two, NULL, patient, NULL));
	MUST(pthread_join(one, NULL));
	MUST(pthread_join(two, NULL));
	return 0;
}
