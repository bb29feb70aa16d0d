/* SPDX-License-Identifier: MIT */
/* SCENARIO S03: T1 takes A,B, T2 takes B,C, T3 takes C,A, never at the same time */
/* EXPECT lock-order-inversion confidence=potential stacks=first_pair,second_pair,third_pair threads=3 locks=red,green,blue edges=3 */
/* RUN */
#include "../sample.h"

static pthread_mutex_t red = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t green = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t blue = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static NOINLINE void first_pair(void)
{
	pthread_mutex_lock(&red);
	pthread_mutex_lock(&green);
	pthread_mutex_unlock(&green);
	pthread_mutex_unlock(&red);
}

static NOINLINE void second_pair(void)
{
	pthread_mutex_lock(&green);
	pthread_mutex_lock(&blue);
	pthread_mutex_unlock(&blue);
	pthread_mutex_unlock(&green);
}

static NOINLINE void third_pair(void)
{
	pthread_mutex_lock(&blue);
	pthread_mutex_lock(&red);
	pthread_mutex_unlock(&red);
	pthread_mutex_unlock(&blue);
}

static void *one(void *arg)
{
	meet(&alive, 3);
	first_pair();
	step_to(&step, 1);
	until(&step, 3);
	return arg;
}

static void *two(void *arg)
{
	meet(&alive, 3);
	until(&step, 1);
	second_pair();
	step_to(&step, 2);
	until(&step, 3);
	return arg;
}

static void *three(void *arg)
{
	meet(&alive, 3);
	until(&step, 2);
	third_pair();
	step_to(&step, 3);
	return arg;
}

int main(void)
{
	pthread_t t[3] = { start(one, NULL), start(two, NULL), start(three, NULL) };

	for (int i = 0; i < 3; i++)
		finish(t[i]);
	return 0;
}
