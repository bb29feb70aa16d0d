/* SPDX-License-Identifier: MIT */
/* SHOWS an idle server whose main waits for a semaphore that a signal handler posts: every thread waits, nothing is wrong */
/* NEVER deadlock leaked-thread */
/* ALLOW stuck-wait level=note */
/* RUN timeout=1 clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static sem_t shutdown_wanted;
static int stopping;

static void on_term(int number)
{
	(void)number;
	sem_post(&shutdown_wanted);
}

static void *worker(void *arg)
{
	pthread_mutex_lock(&m);
	while (!stopping)
		pthread_cond_wait(&work, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	struct sigaction action;
	pthread_t t[3];

	MUST(sem_init(&shutdown_wanted, 0, 0));
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_term;
	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < 3; i++)
		t[i] = start(worker, NULL);
	while (sem_wait(&shutdown_wanted) < 0)
		;
	pthread_mutex_lock(&m);
	stopping = 1;
	pthread_cond_broadcast(&work);
	pthread_mutex_unlock(&m);
	for (int i = 0; i < 3; i++)
		finish(t[i]);
	return 0;
}
