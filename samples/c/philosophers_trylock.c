/* SPDX-License-Identifier: MIT */
/* SHOWS dining philosophers that put the first fork back when the second is taken: try-lock and back off */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

#define SEATS 5
#define MEALS 50

static pthread_mutex_t fork_[SEATS];

static void *philosopher(void *arg)
{
	int seat = (int)(intptr_t)arg, other = (seat + 1) % SEATS;

	for (int meals = 0; meals < MEALS;) {
		pthread_mutex_lock(&fork_[seat]);
		if (pthread_mutex_trylock(&fork_[other]) == 0) {
			meals++;
			pthread_mutex_unlock(&fork_[other]);
		}
		pthread_mutex_unlock(&fork_[seat]);
		sched_yield();
	}
	return NULL;
}

int main(void)
{
	pthread_t t[SEATS];

	for (int i = 0; i < SEATS; i++)
		MUST(pthread_mutex_init(&fork_[i], NULL));
	for (intptr_t i = 0; i < SEATS; i++)
		t[i] = start(philosopher, (void *)i);
	for (int i = 0; i < SEATS; i++)
		finish(t[i]);
	return 0;
}
