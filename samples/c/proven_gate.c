/* SPDX-License-Identifier: MIT */
/* SCENARIO S05: both orders of A and B under a gate, in a recorded build */
/* NEVER lock-order-inversion */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
		       gate = PTHREAD_MUTEX_INITIALIZER;
static long sum;
static int step;

static void *first(void *arg)
{
	MUST(pthread_mutex_lock(&gate));
	MUST(pthread_mutex_lock(&a));
	MUST(pthread_mutex_lock(&b));
	sum++;
	MUST(pthread_mutex_unlock(&b));
	MUST(pthread_mutex_unlock(&a));
	MUST(pthread_mutex_unlock(&gate));
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	MUST(pthread_mutex_lock(&gate));
	MUST(pthread_mutex_lock(&b));
	MUST(pthread_mutex_lock(&a));
	sum--;
	MUST(pthread_mutex_unlock(&a));
	MUST(pthread_mutex_unlock(&b));
	MUST(pthread_mutex_unlock(&gate));
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
