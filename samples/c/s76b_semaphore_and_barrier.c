/* SPDX-License-Identifier: MIT */
/* SCENARIO S76b: a buffer handed to and fro by two semaphores, and halves of an array exchanged at a barrier: no mutex anywhere */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

#include <semaphore.h>

enum { ROUNDS = 50 };

static long buffer[8], half[2], other[2];
static sem_t full, empty;
static pthread_barrier_t phase;

static NOINLINE void exchange(int mine)
{
	for (long i = 0; i < ROUNDS; i++) {
		half[mine] = i;
		pthread_barrier_wait(&phase);
		other[mine] = half[1 - mine];
		pthread_barrier_wait(&phase);
	}
}

static void *produce(void *arg)
{
	for (long i = 0; i < ROUNDS; i++) {
		MUST(sem_wait(&empty));
		for (int n = 0; n < 8; n++)
			buffer[n] = i;
		MUST(sem_post(&full));
	}
	exchange(0);
	return arg;
}

static void *consume(void *arg)
{
	for (long i = 0; i < ROUNDS; i++) {
		MUST(sem_wait(&full));
		for (int n = 0; n < 8; n++)
			if (buffer[n] != i)
				abort();
		MUST(sem_post(&empty));
	}
	exchange(1);
	return arg;
}

int main(void)
{
	MUST(sem_init(&full, 0, 0));
	MUST(sem_init(&empty, 0, 1));
	MUST(pthread_barrier_init(&phase, NULL, 2));
	run_two(produce, consume);
	return other[0] != other[1];
}
