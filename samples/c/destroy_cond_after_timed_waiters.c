/* SPDX-License-Identifier: MIT */
/* SHOWS waiters with a timeout are woken by a broadcast, or run out, just before the condition variable is destroyed */
/* RUN clean */
#include "../sample.h"

enum { ROUNDS = 20, WAITERS = 3 };

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t *ready;
static int over, waiting;

static void *waiter(void *arg)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	pthread_mutex_lock(&m);
	waiting++;
	while (!over && pthread_cond_timedwait(ready, &m, &until) == 0)
		;
	waiting--;
	pthread_mutex_unlock(&m);
	return arg;
}

static void a_round(void)
{
	pthread_cond_t own = PTHREAD_COND_INITIALIZER;
	pthread_t t[WAITERS];

	ready = &own;
	over = 0;
	for (int i = 0; i < WAITERS; i++)
		pthread_create(&t[i], NULL, waiter, NULL);
	for (int all = 0; !all;) {
		pthread_mutex_lock(&m);
		all = waiting == WAITERS;
		pthread_mutex_unlock(&m);
		usleep(1000);
	}
	pthread_mutex_lock(&m);
	over = 1;
	pthread_cond_broadcast(&own);
	pthread_mutex_unlock(&m);
	pthread_cond_destroy(&own); /* right, though they may not be out yet */
	for (int i = 0; i < WAITERS; i++)
		pthread_join(t[i], NULL);
}

int main(void)
{
	for (int i = 0; i < ROUNDS; i++)
		a_round();
	return 0;
}
