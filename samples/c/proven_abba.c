/* SPDX-License-Identifier: MIT */
/* SCENARIO S01: two mutexes in both orders by two threads of a recorded build, one after the other by chance: an order of the recorded events ends in the deadlock */
/* EXPECT lock-order-inversion confidence=proven level=error threads=2 stacks=first,second locks=a,b says=ends+in+it */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static long sum;
static int step;

static void *first(void *arg)
{
	MUST(pthread_mutex_lock(&a));
	MUST(pthread_mutex_lock(&b));
	sum++;
	MUST(pthread_mutex_unlock(&b));
	MUST(pthread_mutex_unlock(&a));
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	MUST(pthread_mutex_lock(&b));
	MUST(pthread_mutex_lock(&a));
	sum--;
	MUST(pthread_mutex_unlock(&a));
	MUST(pthread_mutex_unlock(&b));
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
