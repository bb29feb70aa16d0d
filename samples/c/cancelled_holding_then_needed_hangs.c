/* SPDX-License-Identifier: MIT */
/* SHOWS S51 with a consequence: the cancelled thread's lock is waited for by another one for ever */
/* EXPECT lock-held-at-thread-exit confidence=observed stacks=careless locks=l */
/* EXPECT stuck-wait confidence=observed stacks=needs_it locks=l */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t l = PTHREAD_MUTEX_INITIALIZER;
static int ready;

static void *careless(void *arg)
{
	pthread_mutex_lock(&l);
	step_to(&ready, 1);
	for (;;)
		pause();
	return arg;
}

static void *needs_it(void *arg)
{
	pthread_mutex_lock(&l);
	pthread_mutex_unlock(&l);
	return arg;
}

int main(void)
{
	pthread_t t = start(careless, NULL);

	until(&ready, 1);
	MUST(pthread_cancel(t));
	finish(t);
	finish(start(needs_it, NULL));
	return 0;
}
