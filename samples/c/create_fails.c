/* SPDX-License-Identifier: MIT */
/* SHOWS pthread_create that fails: no thread, no leak */
/* NEVER leaked-thread */
/* RUN clean */
#include "../sample.h"

static void *never_runs(void *arg)
{
	return arg;
}

int main(void)
{
	pthread_attr_t huge;
	pthread_t t;

	MUST(pthread_attr_init(&huge));
	MUST(pthread_attr_setstacksize(&huge, (size_t)1 << 46));
	for (int i = 0; i < 3; i++)
		GIVES(EAGAIN, pthread_create(&t, &huge, never_runs, NULL));
	MUST(pthread_attr_destroy(&huge));
	finish(start(never_runs, NULL));
	return 0;
}
