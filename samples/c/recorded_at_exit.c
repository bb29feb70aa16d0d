/* SPDX-License-Identifier: MIT */
/* SHOWS main returns while the thread that it made is about to write what main wrote: the end of the program waits for it */
/* EXPECT data-race confidence=observed threads=2 stacks=late,main locks=shared says=both+write */
/* ALLOW leaked-thread */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

long shared;

static void *late(void *arg)
{
	/* Not before main is on its way out, most of the time. */
	for (int i = 0; i < 1000; i++)
		sched_yield();
	shared = 2;
	return arg;
}

int main(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, late, NULL));
	shared = 1;
	return 0;
}
