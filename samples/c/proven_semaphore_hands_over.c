/* SPDX-License-Identifier: MIT */
/* SCENARIO S36: a semaphore that hands over puts one thread's locks after the other's: not proven */
/* EXPECT lock-order-inversion confidence=potential level=error threads=2 stacks=first,second locks=a,b says=Not+proven */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../proven.h"

static sem_t turn;

static void *first(void *arg)
{
	nest(&a, &b);
	MUST(sem_post(&turn));
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	MUST(sem_wait(&turn));
	nest(&b, &a);
	return arg;
}

int main(void)
{
	MUST(sem_init(&turn, 0, 0));
	run_two(first, second);
	return 0;
}
