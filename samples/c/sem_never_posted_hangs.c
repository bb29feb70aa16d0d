/* SPDX-License-Identifier: MIT */
/* SHOWS a semaphore that nobody left can post: the producer gave two and ended, the consumer wants three */
/* EXPECT stuck-wait confidence=observed level=error stacks=consume threads=1..3 roles=waits locks=items */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static sem_t items;

static NOINLINE void consume(void)
{
	sem_wait(&items);
}

static void *producer(void *arg)
{
	for (int i = 0; i < 2; i++)
		sem_post(&items);
	return arg;
}

static void *consumer(void *arg)
{
	for (int i = 0; i < 3; i++)
		consume();
	return arg;
}

int main(void)
{
	MUST(sem_init(&items, 0, 0));
	run_two(producer, consumer);
	return 0;
}
