/* SPDX-License-Identifier: MIT */
/* SHOWS a correct server that does not end: at the time-out nothing is wrong, though most threads wait */
/* NEVER deadlock stuck-wait leaked-thread lock-order-inversion */
/* RUN timeout=1 clean */
#include "../sample.h"

#define WORKERS 3

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int jobs;

static void *worker(void *arg)
{
	pthread_mutex_lock(&m);
	for (;;) {
		while (!jobs)
			pthread_cond_wait(&work, &m);
		jobs--;
	}
	return arg;
}

int main(void)
{
	for (int i = 0; i < WORKERS; i++)
		start(worker, NULL);
	for (;;) {
		struct timespec pause_time = { 0, 5000000 };

		pthread_mutex_lock(&m);
		jobs++;
		pthread_cond_signal(&work);
		pthread_mutex_unlock(&m);
		nanosleep(&pause_time, NULL); /* the load, not a synchronisation */
	}
}
