/* SPDX-License-Identifier: MIT */
/* SHOWS a thread that was cancelled and then forgotten */
/* EXPECT leaked-thread level=warning threads=1..2 created=start_it */
/* RUN clean */
#include "../sample.h"

static int ready;

static void *sleeper(void *arg)
{
	step_to(&ready, 1);
	for (;;)
		pause();
	return arg;
}

static NOINLINE void start_it(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, sleeper, NULL));
	until(&ready, 1);
	MUST(pthread_cancel(t));
}

int main(void)
{
	start_it();
	until_alone();
	return 0;
}
