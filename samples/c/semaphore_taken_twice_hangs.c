/* SPDX-License-Identifier: MIT */
/* SHOWS a binary semaphore as a lock, taken again by its holder in a helper function */
/* EXPECT self-deadlock|stuck-wait confidence=observed stacks=helper threads=1..2 locks=guard roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static sem_t guard;

static NOINLINE void helper(void)
{
	sem_wait(&guard);
	sem_post(&guard);
}

static void *worker(void *arg)
{
	helper();
	sem_wait(&guard);
	helper(); /* the caller holds it already */
	sem_post(&guard);
	return arg;
}

int main(void)
{
	MUST(sem_init(&guard, 0, 1));
	finish(start(worker, NULL));
	return 0;
}
