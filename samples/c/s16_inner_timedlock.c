/* SPDX-License-Identifier: MIT */
/* SCENARIO S16: the inner lock of one side has a finite timeout: a bounded wait */
/* EXPECT lock-order-inversion level=note */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *patient(void *arg)
{
	struct timespec soon = in_ms(CLOCK_REALTIME, 10000);

	meet(&alive, 2);
	pthread_mutex_lock(&a);
	MUST(pthread_mutex_timedlock(&b, &soon));
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *blunt(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(patient, blunt);
	return 0;
}
