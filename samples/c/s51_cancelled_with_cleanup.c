/* SPDX-License-Identifier: MIT */
/* SCENARIO S51: the same with a clean-up handler that unlocks */
/* NEVER lock-held-at-thread-exit unlock-not-owned */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t l = PTHREAD_MUTEX_INITIALIZER;
static int ready;

static void unlock(void *mutex)
{
	MUST(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

static void *server(void *arg)
{
	pthread_mutex_lock(&l);
	pthread_cleanup_push(unlock, &l);
	step_to(&ready, 1);
	for (;;)
		pause();
	pthread_cleanup_pop(1);
	return arg;
}

int main(void)
{
	pthread_t t = start(server, NULL);

	until(&ready, 1);
	MUST(pthread_cancel(t));
	finish(t);
	MUST(pthread_mutex_lock(&l));
	MUST(pthread_mutex_unlock(&l));
	return 0;
}
