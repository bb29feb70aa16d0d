/* SPDX-License-Identifier: MIT */
/* SHOWS joinable service threads that still work when main returns: a note, as the kernel ends them */
/* EXPECT leaked-thread level=note threads=1..2 created=main */
/* RUN clean */
#include "../sample.h"

static int running;

static void *service(void *arg)
{
	__atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
	for (;;)
		sched_yield();
	return arg;
}

int main(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, service, NULL));
	until(&running, 1);
	return 0;
}
