/* SPDX-License-Identifier: MIT */
/* SHOWS a consumer that waits for a semaphore with the mutex held that the producer needs: the classic wrong order */
/* EXPECT deadlock confidence=observed stacks=consumer,producer threads=2 roles=holds,waits locks=m */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static sem_t items;
static int step, buffer;

static NOINLINE void put(void)
{
	pthread_mutex_lock(&m);
	buffer++;
	pthread_mutex_unlock(&m);
	sem_post(&items);
}

static void *consumer(void *arg)
{
	until(&step, 1);
	for (int i = 0; i < 2; i++) {
		pthread_mutex_lock(&m);
		step_to(&step, 2 + i);
		sem_wait(&items); /* should come before the lock */
		buffer--;
		pthread_mutex_unlock(&m);
	}
	return arg;
}

static void *producer(void *arg)
{
	put();
	step_to(&step, 1);
	until(&step, 3);
	put();
	return arg;
}

int main(void)
{
	MUST(sem_init(&items, 0, 0));
	run_two(producer, consumer);
	return 0;
}
