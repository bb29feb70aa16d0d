/* SPDX-License-Identifier: MIT */
/* SHOWS the same, but the second thread takes its locks only because it read what the first wrote after its own: not proven */
/* EXPECT lock-order-inversion confidence=potential level=error threads=2 stacks=first,second locks=a,b says=Not+proven */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
		       flag = PTHREAD_MUTEX_INITIALIZER;
static long ready;
static int step;

static void *first(void *arg)
{
	MUST(pthread_mutex_lock(&a));
	MUST(pthread_mutex_lock(&b));
	MUST(pthread_mutex_unlock(&b));
	MUST(pthread_mutex_unlock(&a));
	MUST(pthread_mutex_lock(&flag));
	ready = 1;
	MUST(pthread_mutex_unlock(&flag));
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	long seen;

	MUST(pthread_mutex_lock(&flag));
	seen = ready;
	MUST(pthread_mutex_unlock(&flag));
	if (!seen)
		return arg;
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
