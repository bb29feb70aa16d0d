/* SPDX-License-Identifier: MIT */
/* SCENARIO S31: a wait with another lock held ends well, but a signaller took that lock on its way: a note, in a recorded build too */
/* EXPECT lock-order-inversion level=note stacks=waiter,giver */
/* NEVER data-race deadlock stuck-wait */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready, tid;

static void *waiter(void *arg)
{
	unseen_until(&step, 1);
	publish_tid(&tid);
	take(&a);
	take(&b);
	while (!ready)
		MUST(pthread_cond_wait(&changed, &b));
	give(&b);
	give(&a);
	return arg;
}

static NOINLINE void signal_with(int value)
{
	take(&b);
	ready = value;
	MUST(pthread_cond_signal(&changed));
	give(&b);
}

static void *giver(void *arg)
{
	take(&a);
	signal_with(0); /* nobody waits yet; later nobody would come here */
	give(&a);
	unseen_step_to(&step, 1);
	until_asleep(&tid);
	signal_with(1);
	return arg;
}

int main(void)
{
	run_two(waiter, giver);
	return 0;
}
