/* SPDX-License-Identifier: MIT */
/* pauses.c - takes and gives back a lock many times, and prints how often the thread slept meanwhile: as often as --perturb decided. */
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static long sleeps(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

static void *work(void *unused)
{
	long before;

	pthread_mutex_lock(&mutex); /* what is set up at the first call is not counted */
	pthread_mutex_unlock(&mutex);
	before = sleeps();
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
	}
	printf("%ld\n", sleeps() - before);
	return unused;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, work, NULL);
	pthread_join(thread, NULL);
	return 0;
}
