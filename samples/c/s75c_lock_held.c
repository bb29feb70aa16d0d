/* SPDX-License-Identifier: MIT */
/* SCENARIO S75c: the same with the lock held around both writes */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

static long total;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int step;

static void *before(void *arg)
{
	MUST(pthread_mutex_lock(&lock));
	total += 2;
	MUST(pthread_mutex_unlock(&lock));
	unseen_step_to(&step, 1);
	return arg;
}

static void *after(void *arg)
{
	unseen_until(&step, 1);
	MUST(pthread_mutex_lock(&lock));
	total -= 2;
	MUST(pthread_mutex_unlock(&lock));
	return arg;
}

int main(void)
{
	run_two(before, after);
	return 0;
}
