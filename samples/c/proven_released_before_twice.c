/* SPDX-License-Identifier: MIT */
/* SCENARIO S08: as before, but two threads climb so: one has A, the other B, the third C */
/* EXPECT lock-order-inversion confidence=proven level=error threads=3 stacks=climb,close_ring locks=a,b,c says=ends+in+it */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void climb(void)
{
	take(&a);
	take(&b);
	give(&a);
	take(&c);
	give(&c);
	give(&b);
}

static NOINLINE void close_ring(void)
{
	nest(&c, &a);
}

static void *in_turn(void *arg)
{
	int turn = (int)(intptr_t)arg;

	unseen_until(&step, turn);
	if (turn < 2)
		climb();
	else
		close_ring();
	unseen_step_to(&step, turn + 1);
	return NULL;
}

int main(void)
{
	pthread_t thread[3];

	for (intptr_t i = 0; i < 3; i++)
		thread[i] = start(in_turn, (void *)i);
	for (int i = 0; i < 3; i++)
		finish(thread[i]);
	return 0;
}
