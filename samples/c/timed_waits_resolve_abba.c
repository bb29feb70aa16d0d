/* SPDX-License-Identifier: MIT */
/* SHOWS an ABBA where both inner waits are timed, time out and are tried again: it ends by itself */
/* EXPECT lock-order-inversion level=note */
/* NEVER deadlock stuck-wait */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int holding, step;

static int try_both(pthread_mutex_t *outer, pthread_mutex_t *inner, int ms)
{
	struct timespec soon;
	int rc;

	pthread_mutex_lock(outer);
	if (!step)
		meet(&holding, 2);
	soon = in_ms(CLOCK_REALTIME, ms);
	rc = pthread_mutex_timedlock(inner, &soon);
	if (rc == 0)
		pthread_mutex_unlock(inner);
	pthread_mutex_unlock(outer);
	return rc;
}

static void *patient(void *arg)
{
	MUST(try_both(&a, &b, 60000));
	step_to(&step, 1);
	return arg;
}

static void *hasty(void *arg)
{
	GIVES(ETIMEDOUT, try_both(&b, &a, 10));
	until(&step, 1);
	MUST(try_both(&b, &a, 60000));
	return arg;
}

int main(void)
{
	run_two(patient, hasty);
	return 0;
}
