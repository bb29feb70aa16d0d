/* SPDX-License-Identifier: MIT */
/* SCENARIO S83: a detached thread is still at work when main returns */
/* EXPECT leaked-thread level=note threads=1 created=main */
/* RUN clean */
#include "../sample.h"

static int running;

static void *background(void *arg)
{
	step_to(&running, 1);
	for (;;)
		sched_yield();
	return arg;
}

int main(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, background, NULL));
	MUST(pthread_detach(t));
	until(&running, 1);
	return 0;
}
