/* SPDX-License-Identifier: MIT */
/* SHOWS hundreds of threads take A,B and are joined before anybody takes B,A; at last one takes A,B while another takes B,A */
/* EXPECT lock-order-inversion confidence=potential stacks=forth,back threads=2 */
/* RUN */
#include "../sample.h"

enum { EARLY = 400 };

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int alive, step;

static NOINLINE void forth(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static NOINLINE void back(void)
{
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

static void *one_of_many(void *number)
{
	int n = (int)(intptr_t)number;

	until(&alive, n);
	forth();
	step_to(&step, n);
	return NULL;
}

static void *other(void *arg)
{
	step_to(&alive, 1);
	until(&step, 1);
	back();
	return arg;
}

int main(void)
{
	pthread_t last, against;

	for (int i = 0; i < EARLY; i++)
		finish(start(one_of_many, (void *)0));
	last = start(one_of_many, (void *)1);
	against = start(other, NULL);
	finish(last);
	finish(against);
	return 0;
}
