/* SPDX-License-Identifier: MIT */
/* SCENARIO S75c: a counter is read without a lock before another thread writes it, and only a lock of something else lies between */
/* EXPECT data-race confidence=proven level=error threads=2 stacks=before,after roles=accesses locks=total says=one+of+them+to+write */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static long total, seen;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int step;

static void *before(void *arg)
{
	seen = total;
	MUST(pthread_mutex_lock(&lock));
	MUST(pthread_mutex_unlock(&lock));
	unseen_step_to(&step, 1);
	return arg;
}

static void *after(void *arg)
{
	unseen_until(&step, 1);
	MUST(pthread_mutex_lock(&lock));
	MUST(pthread_mutex_unlock(&lock));
	total = 2;
	return arg;
}

int main(void)
{
	run_two(before, after);
	return seen > 2 || total > 2;
}
