/* SPDX-License-Identifier: MIT */
/* SCENARIO S33: one condvar with two mutexes one after the other: legal, nobody waits in between */
/* NEVER cond-wait-wrong-mutex */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int ready, which, tid;

static void *waiter(void *arg)
{
	pthread_mutex_t *mine = &m[which];

	pthread_mutex_lock(mine);
	publish_tid(&tid);
	while (!ready)
		pthread_cond_wait(&cond, mine);
	pthread_mutex_unlock(mine);
	return arg;
}

int main(void)
{
	for (which = 0; which < 2; which++) {
		pthread_t t;

		ready = tid = 0;
		t = start(waiter, NULL);
		until_asleep(&tid);
		pthread_mutex_lock(&m[which]);
		ready = 1;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&m[which]);
		finish(t);
	}
	return 0;
}
