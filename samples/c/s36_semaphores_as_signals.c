/* SPDX-License-Identifier: MIT */
/* SCENARIO S36: semaphores posted by the other thread, waited for in both orders */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

static sem_t request, reply;

static void *client(void *arg)
{
	for (int i = 0; i < 20; i++) {
		sem_post(&request);
		sem_wait(&reply);
	}
	sem_wait(&request); /* the last round goes the other way */
	sem_wait(&reply);
	return arg;
}

static void *server(void *arg)
{
	for (int i = 0; i < 20; i++) {
		sem_wait(&request);
		sem_post(&reply);
	}
	sem_post(&reply);
	sem_post(&request);
	return arg;
}

/* Takes both before it gives any: nested like locks, but whoever posts never held them. */
static void *takes_forwards(void *arg)
{
	sem_wait(&request);
	sem_wait(&reply);
	return arg;
}

static void *takes_backwards(void *arg)
{
	sem_wait(&reply);
	sem_wait(&request);
	return arg;
}

int main(void)
{
	pthread_t t[2];

	MUST(sem_init(&request, 0, 0));
	MUST(sem_init(&reply, 0, 0));
	run_two(client, server);
	t[0] = start(takes_forwards, NULL);
	t[1] = start(takes_backwards, NULL);
	for (int i = 0; i < 2; i++) {
		sem_post(&request);
		sem_post(&reply);
	}
	for (int i = 0; i < 2; i++)
		finish(t[i]);
	MUST(sem_destroy(&request));
	MUST(sem_destroy(&reply));
	return 0;
}
