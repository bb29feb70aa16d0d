/* SPDX-License-Identifier: MIT */
/* SHOWS the second thread waits for an atomic flag that the first one sets behind its locks: not proven */
/* EXPECT lock-order-inversion confidence=potential level=error threads=2 stacks=first,second locks=a,b says=Not+proven */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int flag;

static void *first(void *arg)
{
	MUST(pthread_mutex_lock(&a));
	MUST(pthread_mutex_lock(&b));
	MUST(pthread_mutex_unlock(&b));
	MUST(pthread_mutex_unlock(&a));
	step_to(&flag, 1);
	return arg;
}

static void *second(void *arg)
{
	until(&flag, 1);
	MUST(pthread_mutex_lock(&b));
	MUST(pthread_mutex_lock(&a));
	MUST(pthread_mutex_unlock(&a));
	MUST(pthread_mutex_unlock(&b));
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
