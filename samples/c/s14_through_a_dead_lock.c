/* SPDX-License-Identifier: MIT */
/* SCENARIO S14: A->X and X->B were seen, X is destroyed and its users joined, then B->A: no cycle through the dead lock */
/* NEVER deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t x;
static int step, alive;

static void *with_a(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&x);
	pthread_mutex_unlock(&x);
	pthread_mutex_unlock(&a);
	step_to(&step, 1);
	return arg;
}

static void *with_b(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&x);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&x);
	return arg;
}

static void *backwards(void *arg)
{
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

static void *forwards_alone(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	return arg;
}

int main(void)
{
	MUST(pthread_mutex_init(&x, NULL));
	run_two(with_a, with_b);
	MUST(pthread_mutex_destroy(&x));
	run_two(backwards, forwards_alone);
	return 0;
}
