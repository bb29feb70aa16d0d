/* SPDX-License-Identifier: MIT */
/* SCENARIO S75c: two threads write one counter without a lock; a lock that both took for something else orders the writes in this run */
/* EXPECT data-race confidence=proven level=error threads=2 stacks=before,after roles=accesses locks=total says=side+by+side */
/* NEVER lock-order-inversion */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static long total;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int step;

static void *before(void *arg)
{
	total += 2;
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
	total -= 2;
	return arg;
}

int main(void)
{
	run_two(before, after);
	return 0;
}
