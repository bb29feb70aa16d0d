/* SPDX-License-Identifier: MIT */
/* SHOWS a thread that has detached itself in the destructor of thread-specific data, and stays there when the process exits */
/* NEVER leaked-thread double-join */
/* RUN clean */
#include "../sample.h"

static pthread_key_t key;
static int detached;

static void detach_and_stay(void *arg)
{
	(void)arg;
	MUST(pthread_detach(pthread_self()));
	step_to(&detached, 1);
	for (;;)
		pause();
}

static void *helper(void *arg)
{
	MUST(pthread_setspecific(key, arg));
	return arg;
}

int main(void)
{
	pthread_t t;

	MUST(pthread_key_create(&key, detach_and_stay));
	MUST(pthread_create(&t, NULL, helper, &key));
	until(&detached, 1);
	return 0;
}
