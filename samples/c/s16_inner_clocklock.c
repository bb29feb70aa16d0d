/* SPDX-License-Identifier: MIT */
/* SCENARIO S16: both sides wait with pthread_mutex_clocklock for a finite time */
/* EXPECT lock-order-inversion level=note */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void take(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
	struct timespec soon = in_ms(CLOCK_MONOTONIC, 10000);

	pthread_mutex_lock(outer);
	MUST(pthread_mutex_clocklock(inner, CLOCK_MONOTONIC, &soon));
	pthread_mutex_unlock(inner);
	pthread_mutex_unlock(outer);
}

static void *forwards(void *arg)
{
	meet(&alive, 2);
	take(&a, &b);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *backwards(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	take(&b, &a);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(forwards, backwards);
	return 0;
}
