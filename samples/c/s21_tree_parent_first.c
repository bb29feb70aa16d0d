/* SPDX-License-Identifier: MIT */
/* SCENARIO S21: 10,000 node locks, four threads, always the parent before the child */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#define NODES 10000
#define WORKERS 4

static pthread_mutex_t node[NODES];
static long weight[NODES];

static void *walker(void *arg)
{
	unsigned seed = (unsigned)(intptr_t)arg * 2654435761u + 1;

	for (int round = 0; round < 3000; round++) {
		unsigned child = 1 + (seed = seed * 1664525u + 1013904223u) % (NODES - 1);
		unsigned parent = (child - 1) / 2;

		pthread_mutex_lock(&node[parent]);
		pthread_mutex_lock(&node[child]);
		weight[parent] += ++weight[child];
		pthread_mutex_unlock(&node[child]);
		pthread_mutex_unlock(&node[parent]);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[WORKERS];

	for (int i = 0; i < NODES; i++)
		MUST(pthread_mutex_init(&node[i], NULL));
	for (intptr_t i = 0; i < WORKERS; i++)
		t[i] = start(walker, (void *)i);
	for (int i = 0; i < WORKERS; i++)
		finish(t[i]);
	for (int i = 0; i < NODES; i++)
		MUST(pthread_mutex_destroy(&node[i]));
	return 0;
}
