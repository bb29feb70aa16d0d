/* SPDX-License-Identifier: MIT */
/* SHOWS priority-inheritance mutexes of every type, contended, with a condvar */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t pi[3];
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long value;
static int turn;

static void *worker(void *arg)
{
	intptr_t me = (intptr_t)arg;

	for (int i = 0; i < 200; i++) {
		MUST(pthread_mutex_lock(&pi[0]));
		MUST(pthread_mutex_lock(&pi[1]));
		value++;
		MUST(pthread_mutex_lock(&pi[1])); /* recursive */
		MUST(pthread_mutex_unlock(&pi[1]));
		MUST(pthread_mutex_unlock(&pi[1]));
		MUST(pthread_mutex_unlock(&pi[0]));
	}
	MUST(pthread_mutex_lock(&pi[2]));
	while (turn != me)
		MUST(pthread_cond_wait(&cond, &pi[2]));
	turn++;
	MUST(pthread_cond_broadcast(&cond));
	MUST(pthread_mutex_unlock(&pi[2]));
	return NULL;
}

int main(void)
{
	static const int types[3] = { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE,
				      PTHREAD_MUTEX_ERRORCHECK };
	pthread_t t[3];

	for (int i = 0; i < 3; i++) {
		pthread_mutexattr_t attr;

		MUST(pthread_mutexattr_init(&attr));
		MUST(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
		MUST(pthread_mutexattr_settype(&attr, types[i]));
		MUST(pthread_mutex_init(&pi[i], &attr));
		MUST(pthread_mutexattr_destroy(&attr));
	}
	for (intptr_t i = 0; i < 3; i++)
		t[i] = start(worker, (void *)i);
	for (int i = 0; i < 3; i++)
		finish(t[i]);
	printf("%ld\n", value);
	return 0;
}
