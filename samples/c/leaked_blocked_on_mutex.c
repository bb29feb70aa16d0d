/* SPDX-License-Identifier: MIT */
/* SHOWS a thread blocked at exit on a mutex that main holds: blocked for ever, as main ends */
/* EXPECT leaked-thread level=warning threads=1..2 created=main stacks=blocked */
/* ALLOW lock-held-at-exit level=note */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int tid;

static void *blocked(void *arg)
{
	publish_tid(&tid);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_mutex_lock(&m);
	MUST(pthread_create(&t, NULL, blocked, NULL));
	until_asleep(&tid);
	return 0;
}
