/* SPDX-License-Identifier: MIT */
/* SHOWS a hand-over done right (twin of unlock-not-owned): a semaphore, not a mutex, is given back by another thread */
/* NEVER unlock-not-owned unlock-not-locked */
/* RUN clean */
#include "../sample.h"

static sem_t turn;
static int value;

static void *taker(void *arg)
{
	sem_wait(&turn);
	value++;
	return arg;
}

static void *giver(void *arg)
{
	value++;
	sem_post(&turn);
	return arg;
}

int main(void)
{
	MUST(sem_init(&turn, 0, 1));
	for (int i = 0; i < 5; i++) {
		finish(start(taker, NULL));
		finish(start(giver, NULL)); /* another thread gives it back */
	}
	MUST(sem_destroy(&turn));
	return value == 10 ? 0 : 3;
}
