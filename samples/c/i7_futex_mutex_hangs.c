/* SPDX-License-Identifier: MIT */
/* SCENARIO I7: a mutex on a raw futex whose owner ended without unlocking it: its waiter is stuck at a futex */
/* EXPECT stuck-wait|deadlock stacks=futex_lock,second threads=1..3 roles=waits */
/* RUN timeout=2 kill=1 */
#include "../futex_mutex.h"

static uint32_t word;
static int step;

static void *first(void *arg)
{
	futex_lock(&word);
	step_to(&step, 1);
	return arg; /* forgot to unlock */
}

static void *second(void *arg)
{
	until(&step, 1);
	futex_lock(&word);
	futex_unlock(&word);
	return arg;
}

int main(void)
{
	pthread_t a, b;

	MUST(pthread_create(&a, NULL, first, NULL));
	MUST(pthread_join(a, NULL));
	MUST(pthread_create(&b, NULL, second, NULL));
	MUST(pthread_join(b, NULL));
	return 0;
}
