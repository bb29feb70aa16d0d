/* SPDX-License-Identifier: MIT */
/* SHOWS two mutexes in main's frame, initialised in a deeper call, inverted by two threads */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 */
/* RUN */
#include "../sample.h"

struct pair {
	pthread_mutex_t a, b;
	int step, alive;
};

static void *forwards(void *arg)
{
	struct pair *p = (struct pair *)arg;

	meet(&p->alive, 2);
	pthread_mutex_lock(&p->a);
	pthread_mutex_lock(&p->b);
	pthread_mutex_unlock(&p->b);
	pthread_mutex_unlock(&p->a);
	step_to(&p->step, 1);
	until(&p->step, 2);
	return NULL;
}

static void *backwards(void *arg)
{
	struct pair *p = (struct pair *)arg;

	meet(&p->alive, 2);
	until(&p->step, 1);
	pthread_mutex_lock(&p->b);
	pthread_mutex_lock(&p->a);
	pthread_mutex_unlock(&p->a);
	pthread_mutex_unlock(&p->b);
	step_to(&p->step, 2);
	return NULL;
}

static NOINLINE void prepare(struct pair *p)
{
	MUST(pthread_mutex_init(&p->a, NULL));
	MUST(pthread_mutex_init(&p->b, NULL));
	p->step = p->alive = 0;
}

int main(void)
{
	struct pair pair;
	pthread_t one, two;

	prepare(&pair);
	one = start(forwards, &pair);
	two = start(backwards, &pair);
	finish(one);
	finish(two);
	MUST(pthread_mutex_destroy(&pair.a));
	MUST(pthread_mutex_destroy(&pair.b));
	return 0;
}
