/* SPDX-License-Identifier: MIT */
/* SCENARIO S35: two binary semaphores used as mutexes, in both orders */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 locks=sem_a,sem_b */
/* RUN */
#include "../sample.h"

static sem_t sem_a, sem_b;
static int step, alive;

static NOINLINE void forwards(void)
{
	sem_wait(&sem_a);
	sem_wait(&sem_b);
	sem_post(&sem_b);
	sem_post(&sem_a);
}

static NOINLINE void backwards(void)
{
	sem_wait(&sem_b);
	sem_wait(&sem_a);
	sem_post(&sem_a);
	sem_post(&sem_b);
}

static void *first(void *arg)
{
	meet(&alive, 2);
	forwards();
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *second(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	backwards();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	MUST(sem_init(&sem_a, 0, 1));
	MUST(sem_init(&sem_b, 0, 1));
	run_two(first, second);
	MUST(sem_destroy(&sem_a));
	MUST(sem_destroy(&sem_b));
	return 0;
}
