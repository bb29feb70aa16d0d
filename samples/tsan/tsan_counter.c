/* SPDX-License-Identifier: MIT */
/* SHOWS a counter and a heap block that two threads change after a barrier, one of them under a lock, in a ThreadSanitizer build */
/* EXPECT data-race confidence=observed locks=g_counter threads=2 stacks=count_one,count_locked roles=accesses created=main */
/* EXPECT data-race confidence=observed threads=2 stacks=count_one,count_locked says=heap+block */
#include "../sample.h"

static long g_counter;
static int *on_heap;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t go;

static NOINLINE void *count_one(void *unused)
{
	pthread_barrier_wait(&go);
	g_counter++;
	on_heap[3]++;
	return unused;
}

static NOINLINE void *count_locked(void *unused)
{
	pthread_barrier_wait(&go);
	MUST(pthread_mutex_lock(&lock));
	on_heap[3]++;
	g_counter++;
	MUST(pthread_mutex_unlock(&lock));
	return unused;
}

int main(void)
{
	pthread_t one, two;

	on_heap = calloc(16, sizeof(*on_heap));
	MUST(pthread_barrier_init(&go, NULL, 2));
	MUST(pthread_create(&one, NULL, count_one, NULL));
	MUST(pthread_create(&two, NULL, count_locked, NULL));
	MUST(pthread_join(one, NULL));
	MUST(pthread_join(two, NULL));
	free(on_heap);
	return 0;
}
