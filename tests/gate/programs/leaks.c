/* SPDX-License-Identifier: MIT */
/* Two threads with different jobs that main starts and nobody joins. */
#include <pthread.h>
#include <semaphore.h>

static sem_t done;

static void *poll_news(void *arg)
{
	sem_post(&done);
	return arg;
}

static void *write_log(void *arg)
{
	sem_post(&done);
	return arg;
}

int main(void)
{
	pthread_t thread;

	sem_init(&done, 0, 0);
	pthread_create(&thread, NULL, poll_news, NULL);
	pthread_create(&thread, NULL, write_log, NULL);
	sem_wait(&done);
	sem_wait(&done);
	return 0;
}
