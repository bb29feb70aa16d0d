/* SPDX-License-Identifier: MIT */
/* SCENARIO S61: two spinlocks in both orders */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 locks=a,b */
/* RUN */
#include "../sample.h"

static pthread_spinlock_t a, b;
static int step, alive;

static void *forwards(void *arg)
{
	meet(&alive, 2);
	pthread_spin_lock(&a);
	pthread_spin_lock(&b);
	pthread_spin_unlock(&b);
	pthread_spin_unlock(&a);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *backwards(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_spin_lock(&b);
	pthread_spin_lock(&a);
	pthread_spin_unlock(&a);
	pthread_spin_unlock(&b);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	MUST(pthread_spin_init(&a, PTHREAD_PROCESS_PRIVATE));
	MUST(pthread_spin_init(&b, PTHREAD_PROCESS_PRIVATE));
	run_two(forwards, backwards);
	MUST(pthread_spin_destroy(&a));
	MUST(pthread_spin_destroy(&b));
	return 0;
}
