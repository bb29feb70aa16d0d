/* SPDX-License-Identifier: MIT */
/* SCENARIO S06: the gate is dropped before the inner lock is asked for */
/* EXPECT lock-order-inversion confidence=potential stacks=a_then_b,b_then_a threads=2 */
/* RUN */
#include "../sample.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static NOINLINE void a_then_b(void)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&gate);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static NOINLINE void b_then_a(void)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&gate);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

static void *first(void *arg)
{
	meet(&alive, 2);
	a_then_b();
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *second(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	b_then_a();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
