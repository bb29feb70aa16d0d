/* SPDX-License-Identifier: MIT */
/* SHOWS a thread that ends after sem_wait without a post (near-miss): semaphores are no locks by themselves */
/* NEVER lock-held-at-thread-exit */
/* RUN clean */
#include "../sample.h"

static sem_t slots;

static void *taker(void *arg)
{
	sem_wait(&slots);
	return arg;
}

int main(void)
{
	MUST(sem_init(&slots, 0, 4));
	run_two(taker, taker);
	MUST(sem_destroy(&slots));
	return 0;
}
