/* SPDX-License-Identifier: MIT */
/* SCENARIO S77: two cycles share the edge A->B */
/* EXPECT lock-order-inversion confidence=potential count=2 stacks=a_then_b */
/* RUN */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
	pthread_mutex_lock(outer);
	pthread_mutex_lock(inner);
	pthread_mutex_unlock(inner);
	pthread_mutex_unlock(outer);
}

static void *a_then_b(void *arg)
{
	meet(&alive, 4);
	nest(&a, &b);
	step_to(&step, 1);
	until(&step, 4);
	return arg;
}

static void *b_then_a(void *arg)
{
	meet(&alive, 4);
	until(&step, 1);
	nest(&b, &a);
	step_to(&step, 2);
	until(&step, 4);
	return arg;
}

static void *b_then_c(void *arg)
{
	meet(&alive, 4);
	until(&step, 2);
	nest(&b, &c);
	step_to(&step, 3);
	until(&step, 4);
	return arg;
}

static void *c_then_a(void *arg)
{
	meet(&alive, 4);
	until(&step, 3);
	nest(&c, &a);
	step_to(&step, 4);
	return arg;
}

int main(void)
{
	pthread_t t[4] = { start(a_then_b, NULL), start(b_then_a, NULL), start(b_then_c, NULL),
			   start(c_then_a, NULL) };

	for (int i = 0; i < 4; i++)
		finish(t[i]);
	return 0;
}
