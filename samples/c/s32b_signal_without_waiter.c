/* SPDX-License-Identifier: MIT */
/* SCENARIO S32b: signals that find no waiter, and nobody is stuck */
/* NEVER stuck-wait leaked-thread */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int items;

static void *producer(void *arg)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&m);
		items++;
		pthread_mutex_unlock(&m);
		pthread_cond_signal(&cond); /* often nobody waits */
	}
	return arg;
}

static void *consumer(void *arg)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&m);
		while (!items)
			pthread_cond_wait(&cond, &m);
		items--;
		pthread_mutex_unlock(&m);
	}
	return arg;
}

int main(void)
{
	finish(start(producer, NULL));
	finish(start(consumer, NULL));
	run_two(producer, consumer);
	pthread_cond_broadcast(&cond);
	return 0;
}
