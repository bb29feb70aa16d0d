/* SPDX-License-Identifier: MIT */
/* SCENARIO S51b,I4: cancelled inside cond_wait without a handler: the mutex taken again stays locked */
/* EXPECT lock-held-at-thread-exit confidence=observed stacks=waiter threads=1..2 locks=m */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int tid;

static void *waiter(void *arg)
{
	pthread_mutex_lock(&m);
	publish_tid(&tid);
	for (;;)
		pthread_cond_wait(&never, &m);
	return arg;
}

int main(void)
{
	pthread_t t = start(waiter, NULL);

	until_asleep(&tid);
	MUST(pthread_cancel(t));
	finish(t);
	return 0;
}
