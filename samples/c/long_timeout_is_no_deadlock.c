/* SPDX-License-Identifier: MIT */
/* SHOWS threads that wait crosswise with a time-out of ten minutes: at --timeout 1 not for ever, so no deadlock */
/* ALLOW lock-order-inversion|deadlock level=note */
/* NEVER stuck-wait */
/* RUN timeout=1 clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int holding;

static void *left(void *arg)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 600000);

	pthread_mutex_lock(&a);
	meet(&holding, 2);
	pthread_mutex_timedlock(&b, &later);
	return arg;
}

static void *right(void *arg)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 600000);

	pthread_mutex_lock(&b);
	meet(&holding, 2);
	pthread_mutex_timedlock(&a, &later);
	return arg;
}

int main(void)
{
	run_two(left, right);
	return 0;
}
