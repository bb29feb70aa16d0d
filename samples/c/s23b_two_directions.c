/* SPDX-License-Identifier: MIT */
/* SCENARIO S23b: two hand-over-hand walkers in opposite directions */
/* EXPECT lock-order-inversion confidence=potential count=1..2 stacks=walk_up,walk_down threads=2 locks=node */
/* RUN */
#include "../sample.h"

#define NODES 3

static pthread_mutex_t node[NODES];
static int step, alive;

static NOINLINE void walk_up(void)
{
	pthread_mutex_lock(&node[0]);
	for (int i = 1; i < NODES; i++) {
		pthread_mutex_lock(&node[i]);
		pthread_mutex_unlock(&node[i - 1]);
	}
	pthread_mutex_unlock(&node[NODES - 1]);
}

static NOINLINE void walk_down(void)
{
	pthread_mutex_lock(&node[NODES - 1]);
	for (int i = NODES - 1; i > 0; i--) {
		pthread_mutex_lock(&node[i - 1]);
		pthread_mutex_unlock(&node[i]);
	}
	pthread_mutex_unlock(&node[0]);
}

static void *upwards(void *arg)
{
	meet(&alive, 2);
	walk_up();
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *downwards(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	walk_down();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	for (int i = 0; i < NODES; i++)
		MUST(pthread_mutex_init(&node[i], NULL));
	run_two(upwards, downwards);
	return 0;
}
