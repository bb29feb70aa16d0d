/* SPDX-License-Identifier: MIT */
/* SHOWS long condition waits with only their mutex, which others take meanwhile; another lock across a short one: silent */
/* NEVER lock-held-across-blocking-call hold-time */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int ready, tid;

static void *waiter(void *arg)
{
	pthread_mutex_lock(&m);
	publish_tid(&tid);
	while (!ready)
		pthread_cond_wait(&cond, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void *user(void *arg)
{
	struct timespec t = { 0, 10000000 };

	until_asleep(&tid);
	for (int i = 0; i < 40; i++) {
		pthread_mutex_lock(&m);
		nanosleep(&t, NULL);
		pthread_mutex_unlock(&m);
		pthread_mutex_lock(&outer);
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		pthread_mutex_unlock(&outer);
	}
	pthread_mutex_lock(&m);
	ready = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	run_two(waiter, user);
	return 0;
}
