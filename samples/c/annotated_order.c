/* SPDX-License-Identifier: MIT */
/* SHOWS a declared order that one thread breaks, though nobody ever keeps to it */
/* EXPECT lock-order-inversion confidence=potential level=error stacks=back threads=1 locks=outer,inner roles=holds,acquires */
/* RUN */
#include "../../include/thrum.h"
#include "../sample.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void back(void)
{
	pthread_mutex_lock(&inner);
	pthread_mutex_lock(&outer);
	pthread_mutex_unlock(&outer);
	pthread_mutex_unlock(&inner);
}

static void *worker(void *arg)
{
	back();
	return arg;
}

int main(void)
{
	pthread_t t;

	thrum_lock_order(&outer, &inner);
	MUST(pthread_create(&t, NULL, worker, NULL));
	MUST(pthread_join(t, NULL));
	return 0;
}
