/* SPDX-License-Identifier: MIT */
/* SHOWS dining philosophers with a waiter: a semaphore lets four sit down, so the ring of five can never close */
/* NEVER deadlock */
/* RUN clean */
#include "../sample.h"

#define SEATS 5
#define MEALS 100

static pthread_mutex_t fork_[SEATS];
static sem_t chairs;
static int meals[SEATS];

static void *philosopher(void *arg)
{
	int seat = (int)(intptr_t)arg;

	for (int i = 0; i < MEALS; i++) {
		sem_wait(&chairs);
		pthread_mutex_lock(&fork_[seat]);
		pthread_mutex_lock(&fork_[(seat + 1) % SEATS]);
		meals[seat]++;
		pthread_mutex_unlock(&fork_[(seat + 1) % SEATS]);
		pthread_mutex_unlock(&fork_[seat]);
		sem_post(&chairs);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[SEATS];

	MUST(sem_init(&chairs, 0, SEATS - 1));
	for (int i = 0; i < SEATS; i++)
		MUST(pthread_mutex_init(&fork_[i], NULL));
	for (intptr_t i = 0; i < SEATS; i++)
		t[i] = start(philosopher, (void *)i);
	for (int i = 0; i < SEATS; i++)
		finish(t[i]);
	MUST(sem_destroy(&chairs));
	return 0;
}
