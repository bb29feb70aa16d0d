/* SPDX-License-Identifier: MIT */
/* threads STATUS - two threads share a mutex correctly; says "out" and "err", echoes standard input, ends with STATUS. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int shared;

static void *work(void *unused)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&lock);
		shared++;
		pthread_mutex_unlock(&lock);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	int c;

	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, work, NULL))
			return 99;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	puts("out");
	fputs("err\n", stderr);
	while ((c = getchar()) != EOF)
		putchar(c);
	return shared == 200 && argc > 1 ? atoi(argv[1]) : 0;
}
