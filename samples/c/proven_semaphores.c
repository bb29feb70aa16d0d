/* SPDX-License-Identifier: MIT */
/* SCENARIO S35: two semaphores used as locks in both orders: proven in a recorded build */
/* EXPECT lock-order-inversion confidence=proven level=error threads=2 stacks=first,second locks=a,b says=ends+in+it */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static sem_t a, b;
static int step;

static void *first(void *arg)
{
	MUST(sem_wait(&a));
	MUST(sem_wait(&b));
	MUST(sem_post(&b));
	MUST(sem_post(&a));
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	MUST(sem_wait(&b));
	MUST(sem_wait(&a));
	MUST(sem_post(&a));
	MUST(sem_post(&b));
	return arg;
}

int main(void)
{
	MUST(sem_init(&a, 0, 1));
	MUST(sem_init(&b, 0, 1));
	run_two(first, second);
	return 0;
}
