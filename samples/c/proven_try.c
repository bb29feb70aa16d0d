/* SPDX-License-Identifier: MIT */
/* SHOWS the second thread only tries its inner lock: nobody waits for ever */
/* NEVER lock-order-inversion */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int step;

static void *first(void *arg)
{
	MUST(pthread_mutex_lock(&a));
	MUST(pthread_mutex_lock(&b));
	MUST(pthread_mutex_unlock(&b));
	MUST(pthread_mutex_unlock(&a));
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	MUST(pthread_mutex_lock(&b));
	if (!pthread_mutex_trylock(&a))
		MUST(pthread_mutex_unlock(&a));
	MUST(pthread_mutex_unlock(&b));
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
