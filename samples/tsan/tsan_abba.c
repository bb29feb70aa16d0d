/* SPDX-License-Identifier: MIT */
/* SHOWS locks in two orders: ThreadSanitizer reports it and so do we, and it is one finding; under a gate lock only it would report, and nothing is found */
/* EXPECT lock-order-inversion confidence=potential locks=left,right count=1 */
/* NEVER data-race */
#include "../sample.h"

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER, outer = PTHREAD_MUTEX_INITIALIZER;

static void both(pthread_mutex_t *first, pthread_mutex_t *second)
{
	MUST(pthread_mutex_lock(first));
	MUST(pthread_mutex_lock(second));
	MUST(pthread_mutex_unlock(second));
	MUST(pthread_mutex_unlock(first));
}

static int step;

static NOINLINE void *forth(void *unused)
{
	both(&left, &right);
	MUST(pthread_mutex_lock(&gate));
	both(&inner, &outer);
	MUST(pthread_mutex_unlock(&gate));
	step_to(&step, 1);
	return unused;
}

static NOINLINE void *back(void *unused)
{
	until(&step, 1);
	both(&right, &left);
	MUST(pthread_mutex_lock(&gate));
	both(&outer, &inner);
	MUST(pthread_mutex_unlock(&gate));
	return unused;
}

int main(void)
{
	pthread_t one, two;

	/* One after the other, by a word that orders nothing for our eyes: a join would. */
	MUST(pthread_create(&two, NULL, back, NULL));
	MUST(pthread_create(&one, NULL, forth, NULL));
	MUST(pthread_join(one, NULL));
	MUST(pthread_join(two, NULL));
	return 0;
}
