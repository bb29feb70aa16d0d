/* SPDX-License-Identifier: MIT */
/* SHOWS a long condition wait gives its mutex up, and a long sleep holds another lock that nobody wants: silent */
/* NEVER lock-held-across-blocking-call hold-time */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, mine = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int ready, tid;

static void *waiter(void *arg)
{
	pthread_mutex_lock(&m);
	publish_tid(&tid);
	while (!ready)
		pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void *setter(void *arg)
{
	struct timespec t = { 0, 300000000 };

	until_asleep(&tid);
	pthread_mutex_lock(&mine);
	nanosleep(&t, NULL);
	pthread_mutex_unlock(&mine);
	pthread_mutex_lock(&m);
	ready = 1;
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	run_two(waiter, setter);
	return 0;
}
