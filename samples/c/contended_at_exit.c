/* SPDX-License-Identifier: MIT */
/* SHOWS a worker that waits at exit for a lock whose holder still runs: it could have gone on, no leak */
/* NEVER deadlock stuck-wait */
/* ALLOW leaked-thread|lock-held-at-exit level=note */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int holding, tid;

static void *holder(void *arg)
{
	pthread_mutex_lock(&m);
	step_to(&holding, 1);
	for (;;)
		sched_yield();
	return arg;
}

static void *waiter(void *arg)
{
	until(&holding, 1);
	publish_tid(&tid);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	MUST(pthread_detach(start(holder, NULL)));
	MUST(pthread_detach(start(waiter, NULL)));
	until_asleep(&tid);
	return 0;
}
