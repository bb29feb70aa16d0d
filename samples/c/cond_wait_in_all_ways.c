/* SPDX-License-Identifier: MIT */
/* SHOWS wait, timedwait and clockwait that time out, that are signalled, and with a recursive mutex held once */
/* NEVER cond-wait-unlocked cond-wait-wrong-mutex unlock-not-locked stuck-wait */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t r = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_cond_t monotonic;
static int ready;

static void *signaller(void *arg)
{
	pthread_mutex_lock(&m);
	ready = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	struct timespec soon, later;
	pthread_condattr_t attr;
	pthread_t t;

	MUST(pthread_condattr_init(&attr));
	MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	MUST(pthread_cond_init(&monotonic, &attr));
	MUST(pthread_condattr_destroy(&attr));

	pthread_mutex_lock(&m);
	soon = in_ms(CLOCK_REALTIME, 1);
	GIVES(ETIMEDOUT, pthread_cond_timedwait(&cond, &m, &soon));
	soon = in_ms(CLOCK_MONOTONIC, 1);
	GIVES(ETIMEDOUT, pthread_cond_timedwait(&monotonic, &m, &soon));
	soon = in_ms(CLOCK_MONOTONIC, 1);
	GIVES(ETIMEDOUT, pthread_cond_clockwait(&cond, &m, CLOCK_MONOTONIC, &soon));
	pthread_mutex_unlock(&m);

	pthread_mutex_lock(&r);
	soon = in_ms(CLOCK_REALTIME, 1);
	GIVES(ETIMEDOUT, pthread_cond_timedwait(&cond, &r, &soon));
	pthread_mutex_unlock(&r);

	pthread_mutex_lock(&m);
	t = start(signaller, NULL);
	later = in_ms(CLOCK_REALTIME, 60000);
	while (!ready)
		MUST(pthread_cond_timedwait(&cond, &m, &later));
	pthread_mutex_unlock(&m);
	finish(t);
	MUST(pthread_cond_destroy(&monotonic));
	return 0;
}
