/* SPDX-License-Identifier: MIT */
/* SCENARIO S65: only the threads that nobody joined are leaked, though others had the same pthread_t */
/* EXPECT leaked-thread level=warning occurs=1..2 threads=1..2 created=leave_two */
/* RUN clean */
#include "../sample.h"

static void *quick(void *arg)
{
	return arg;
}

static NOINLINE void leave_two(void)
{
	pthread_t t;

	for (int i = 0; i < 2; i++)
		MUST(pthread_create(&t, NULL, quick, NULL));
}

int main(void)
{
	for (int i = 0; i < 20; i++)
		finish(start(quick, NULL));
	leave_two();
	for (int i = 0; i < 20; i++)
		finish(start(quick, NULL));
	until_alone();
	return 0;
}
