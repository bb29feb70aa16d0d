/* SPDX-License-Identifier: MIT */
/* SCENARIO I7: a mutex on a raw futex, contended and used right, beside pthread ones: nothing to say */
/* NEVER deadlock stuck-wait lock-order-inversion unlock-not-owned */
/* RUN clean */
#include "../futex_mutex.h"

static uint32_t word;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static long count;

static void *adder(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		futex_lock(&word);
		count++;
		if (i % 500 == 0)
			sched_yield();
		futex_unlock(&word);
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
	return arg;
}

int main(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		MUST(pthread_create(&t[i], NULL, adder, NULL));
	for (int i = 0; i < 4; i++)
		MUST(pthread_join(t[i], NULL));
	printf("%ld\n", count);
	return 0;
}
