/* SPDX-License-Identifier: MIT */
/* SCENARIO S32: the predicate is set without the mutex, but the wait comes first this time: what could lose the wakeup is a race */
/* EXPECT data-race confidence=observed stacks=waiter,giver locks=a */
/* NEVER deadlock stuck-wait lock-order-inversion */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready, tid;

static void *waiter(void *arg)
{
	publish_tid(&tid);
	take(&a);
	while (!ready)
		MUST(pthread_cond_wait(&changed, &a));
	give(&a);
	return arg;
}

static void *giver(void *arg)
{
	until_asleep(&tid);
	ready = 1;
	MUST(pthread_cond_signal(&changed));
	return arg;
}

int main(void)
{
	run_two(waiter, giver);
	return 0;
}
