/* SPDX-License-Identifier: MIT */
/* SCENARIO S13: destroyed and initialised again at the same address, then used in the opposite order */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t slot;
static int step, alive;

static void *first_life(void *arg)
{
	meet(&alive, 2);
	MUST(pthread_mutex_init(&slot, NULL));
	pthread_mutex_lock(&slot);
	pthread_mutex_lock(&other);
	pthread_mutex_unlock(&other);
	pthread_mutex_unlock(&slot);
	MUST(pthread_mutex_destroy(&slot));
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *second_life(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	MUST(pthread_mutex_init(&slot, NULL));
	pthread_mutex_lock(&other);
	pthread_mutex_lock(&slot);
	pthread_mutex_unlock(&slot);
	pthread_mutex_unlock(&other);
	MUST(pthread_mutex_destroy(&slot));
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(first_life, second_life);
	return 0;
}
