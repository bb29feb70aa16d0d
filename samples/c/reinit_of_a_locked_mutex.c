/* SPDX-License-Identifier: MIT */
/* SHOWS pthread_mutex_init on a mutex that another thread holds: the holder's lock is wiped out */
/* EXPECT destroy-locked|unlock-not-locked confidence=observed level=error locks=m */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int step;

static NOINLINE void reset(void)
{
	pthread_mutex_init(&m, NULL);
}

static void *holder(void *arg)
{
	pthread_mutex_lock(&m);
	step_to(&step, 1);
	until(&step, 2);
	pthread_mutex_unlock(&m);
	return arg;
}

static void *resetter(void *arg)
{
	until(&step, 1);
	reset();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(holder, resetter);
	return 0;
}
