/* SPDX-License-Identifier: MIT */
/* SCENARIO S32: the same with the mutex: silent */
/* NEVER data-race deadlock stuck-wait lock-order-inversion */
/* RUN options=--races=record full clean */
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
	take(&a);
	ready = 1;
	give(&a);
	MUST(pthread_cond_signal(&changed));
	return arg;
}

int main(void)
{
	run_two(waiter, giver);
	return 0;
}
