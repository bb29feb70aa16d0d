/* SPDX-License-Identifier: MIT */
/* SCENARIO S61: two spinlocks, both threads spin for ever */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards threads=2 roles=holds,waits */
/* RUN timeout=2 */
#include "../sample.h"

static pthread_spinlock_t a, b;
static int holding;

static void *forwards(void *arg)
{
	pthread_spin_lock(&a);
	meet(&holding, 2);
	pthread_spin_lock(&b);
	return arg;
}

static void *backwards(void *arg)
{
	pthread_spin_lock(&b);
	meet(&holding, 2);
	pthread_spin_lock(&a);
	return arg;
}

int main(void)
{
	MUST(pthread_spin_init(&a, PTHREAD_PROCESS_PRIVATE));
	MUST(pthread_spin_init(&b, PTHREAD_PROCESS_PRIVATE));
	run_two(forwards, backwards);
	return 0;
}
