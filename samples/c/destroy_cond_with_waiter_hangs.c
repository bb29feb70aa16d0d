/* SPDX-License-Identifier: MIT */
/* SHOWS a condition variable destroyed while a thread waits on it: glibc blocks in the destroy */
/* EXPECT destroy-locked confidence=observed stacks=main locks=cond */
/* ALLOW stuck-wait|deadlock level=note..error */
/* RUN timeout=2 */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int tid, done;

static void *waiter(void *arg)
{
	pthread_mutex_lock(&m);
	publish_tid(&tid);
	while (!done)
		pthread_cond_wait(&cond, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	pthread_t t = start(waiter, NULL);

	until_asleep(&tid);
	pthread_cond_destroy(&cond);
	finish(t);
	return 0;
}
