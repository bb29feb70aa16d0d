/* SPDX-License-Identifier: MIT */
/*
 * small_file_limit.c - RLIMIT_FSIZE of 600 KiB, then events for megabytes: no SIGXFSZ may come, the
 * program ends as it would.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

static volatile int signals;
static void count(int number)
{
	(void)number;
	signals++;
}

int main(void)
{
	static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, n = PTHREAD_MUTEX_INITIALIZER;
	struct rlimit limit = { 600 << 10, 600 << 10 };

	signal(SIGXFSZ, count);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (int i = 0; i < 400000; i++) {
		pthread_mutex_lock(&m);
		pthread_mutex_lock(&n);
		pthread_mutex_unlock(&n);
		pthread_mutex_unlock(&m);
	}
	printf("%d\n", signals);
	return 0;
}
