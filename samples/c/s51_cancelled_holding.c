/* SPDX-License-Identifier: MIT */
/* SCENARIO S51: a thread is cancelled while it holds L, and nothing cleans up */
/* EXPECT lock-held-at-thread-exit confidence=observed level=error stacks=handle_request threads=1..2 locks=l */
/* RUN */
#include "../sample.h"

static pthread_mutex_t l = PTHREAD_MUTEX_INITIALIZER;
static int ready;

static NOINLINE void handle_request(void)
{
	pthread_mutex_lock(&l);
	step_to(&ready, 1);
	for (;;)
		pause(); /* a cancellation point */
}

static void *server(void *arg)
{
	handle_request();
	return arg;
}

int main(void)
{
	pthread_t t = start(server, NULL);

	until(&ready, 1);
	MUST(pthread_cancel(t));
	finish(t);
	return 0;
}
