/* SPDX-License-Identifier: MIT */
/* SHOWS a condition variable is destroyed while a thread waits on it with a timeout, and nobody wakes it */
/* EXPECT destroy-locked confidence=observed stacks=closes,waits_a_little threads=2 locks=ready */
/* NEVER use-after-destroy deadlock stuck-wait */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;

static NOINLINE void waits_a_little(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 400000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&m);
	pthread_cond_timedwait(&ready, &m, &until);
	pthread_mutex_unlock(&m);
}

static void *waiter(void *arg)
{
	waits_a_little();
	return arg;
}

static NOINLINE void closes(void)
{
	pthread_cond_destroy(&ready);
}

int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, waiter, NULL);
	usleep(100000);
	closes();
	pthread_join(t, NULL);
	return 0;
}
