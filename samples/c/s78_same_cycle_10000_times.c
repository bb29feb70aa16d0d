/* SPDX-License-Identifier: MIT */
/* SCENARIO S78: the same cycle 10,000 times is one finding with a count */
/* EXPECT lock-order-inversion confidence=potential occurs=1000..40000 stacks=forwards,backwards threads=2 */
/* RUN */
#include "../sample.h"

#define ROUNDS 10000

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int turn;

static NOINLINE void forwards(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static NOINLINE void backwards(void)
{
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

static void *even(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		until(&turn, 2 * i);
		forwards();
		step_to(&turn, 2 * i + 1);
	}
	return arg;
}

static void *odd(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		until(&turn, 2 * i + 1);
		backwards();
		step_to(&turn, 2 * i + 2);
	}
	return arg;
}

int main(void)
{
	run_two(even, odd);
	return 0;
}
