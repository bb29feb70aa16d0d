/* SPDX-License-Identifier: MIT */
/* SCENARIO S51b,I4: cancelled inside cond_wait; the clean-up handler unlocks the mutex that the wait took again */
/* NEVER unlock-not-owned unlock-not-locked lock-held-at-thread-exit stuck-wait */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int tid;

static void unlock(void *mutex)
{
	MUST(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

static void *waiter(void *arg)
{
	MUST(pthread_mutex_lock(&m));
	pthread_cleanup_push(unlock, &m);
	publish_tid(&tid);
	for (;;)
		pthread_cond_wait(&never, &m);
	pthread_cleanup_pop(1);
	return arg;
}

int main(void)
{
	for (int i = 0; i < 5; i++) {
		pthread_t t;
		void *result;

		tid = 0;
		t = start(waiter, NULL);
		until_asleep(&tid);
		MUST(pthread_cancel(t));
		MUST(pthread_join(t, &result));
		if (result != PTHREAD_CANCELED)
			return 3;
		MUST(pthread_mutex_lock(&m));
		MUST(pthread_mutex_unlock(&m));
	}
	return 0;
}
