/* SPDX-License-Identifier: MIT */
/* SCENARIO S75c: what is written without a lock is published by a pointer under one, and only then used by the other thread */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

static long block, *shared;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int step;

static void *before(void *arg)
{
	block = 2;
	MUST(pthread_mutex_lock(&lock));
	shared = &block;
	MUST(pthread_mutex_unlock(&lock));
	unseen_step_to(&step, 1);
	return arg;
}

static void *after(void *arg)
{
	unseen_until(&step, 1);
	long *mine;

	MUST(pthread_mutex_lock(&lock));
	mine = shared;
	MUST(pthread_mutex_unlock(&lock));
	if (mine)
		*mine -= 2;
	return arg;
}

int main(void)
{
	run_two(before, after);
	return 0;
}
