/* SPDX-License-Identifier: MIT */
/* SHOWS a waiter on a condvar while main computes: who will signal is still at work */
/* NEVER deadlock stuck-wait */
/* RUN timeout=1 clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done_cond = PTHREAD_COND_INITIALIZER;
static int done;

static void *waiter(void *arg)
{
	pthread_mutex_lock(&m);
	while (!done)
		pthread_cond_wait(&done_cond, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	volatile unsigned long steps = 0;
	pthread_t t = start(waiter, NULL);

	while (steps < 1ul << 60)
		steps++;
	pthread_mutex_lock(&m);
	done = 1;
	pthread_cond_signal(&done_cond);
	pthread_mutex_unlock(&m);
	finish(t);
	return 0;
}
