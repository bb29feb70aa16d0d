/* SPDX-License-Identifier: MIT */
/* SHOWS a thread sleeps with a lock held that nobody waits for: silent */
/* NEVER lock-held-across-blocking-call hold-time */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int step;

static void *holder(void *arg)
{
	struct timespec t = { 0, 300000000 };

	pthread_mutex_lock(&m);
	nanosleep(&t, NULL);
	pthread_mutex_unlock(&m);
	step_to(&step, 1);
	return arg;
}

static void *later(void *arg)
{
	until(&step, 1);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	run_two(holder, later);
	return 0;
}
