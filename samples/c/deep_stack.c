/* SPDX-License-Identifier: MIT */
/* SHOWS locks taken at the end of a recursion 300 frames deep: the inner frames are there */
/* EXPECT lock-order-inversion confidence=potential stacks=leaf_forwards,leaf_backwards threads=2 locks=a,b */
/* RUN */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static NOINLINE void leaf_forwards(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static NOINLINE void leaf_backwards(void)
{
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

static NOINLINE int descend(int depth, void (*leaf)(void))
{
	int below;

	if (!depth) {
		leaf();
		return 0;
	}
	below = descend(depth - 1, leaf);
	__asm__ volatile("" : "+r"(below));
	return below + 1;
}

static void *first(void *arg)
{
	meet(&alive, 2);
	descend(300, leaf_forwards);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *second(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	descend(300, leaf_backwards);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
