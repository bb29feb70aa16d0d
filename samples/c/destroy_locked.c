/* SPDX-License-Identifier: MIT */
/* SHOWS a mutex destroyed while another thread holds it */
/* EXPECT destroy-locked confidence=observed level=error stacks=shut_down locks=m */
/* NEVER use-after-destroy unlock-not-owned */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int step;

static NOINLINE void shut_down(void)
{
	GIVES(EBUSY, pthread_mutex_destroy(&m));
}

static void *holder(void *arg)
{
	pthread_mutex_lock(&m);
	step_to(&step, 1);
	until(&step, 2);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	pthread_t t = start(holder, NULL);

	until(&step, 1);
	shut_down();
	step_to(&step, 2);
	finish(t);
	return 0;
}
