/* SPDX-License-Identifier: MIT */
/* SCENARIO S35: the same, each with its first semaphore in hand: both hang */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards threads=2 locks=sem_a,sem_b roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static sem_t sem_a, sem_b;
static int holding, warm;

static NOINLINE void forwards(void)
{
	sem_wait(&sem_a);
	meet(&holding, 2);
	sem_wait(&sem_b);
	sem_post(&sem_b);
	sem_post(&sem_a);
}

static NOINLINE void backwards(void)
{
	sem_wait(&sem_b);
	meet(&holding, 2);
	sem_wait(&sem_a);
	sem_post(&sem_a);
	sem_post(&sem_b);
}

/* Each holder posts what it took: so these semaphores are locks. */
static void use_alone(sem_t *sem)
{
	sem_wait(sem);
	sem_post(sem);
}

static void *first(void *arg)
{
	use_alone(&sem_a);
	meet(&warm, 2);
	forwards();
	return arg;
}

static void *second(void *arg)
{
	use_alone(&sem_b);
	meet(&warm, 2);
	backwards();
	return arg;
}

int main(void)
{
	MUST(sem_init(&sem_a, 0, 1));
	MUST(sem_init(&sem_b, 0, 1));
	run_two(first, second);
	return 0;
}
