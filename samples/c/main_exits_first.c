/* SPDX-License-Identifier: MIT */
/* SHOWS main ending by pthread_exit while workers go on; the process ends with the last thread, which was detached */
/* NEVER stuck-wait deadlock lock-held-at-thread-exit leaked-thread */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int left = 3;

static void *worker(void *arg)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		sched_yield();
	}
	if (__atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST) == 0)
		printf("last\n");
	return arg;
}

int main(void)
{
	for (int i = 0; i < 3; i++)
		MUST(pthread_detach(start(worker, NULL)));
	pthread_exit(NULL);
}
