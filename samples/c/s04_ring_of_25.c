/* SPDX-License-Identifier: MIT */
/* SCENARIO S04: a ring of 25 locks, each thread takes its own and then its neighbour's */
/* EXPECT lock-order-inversion confidence=potential stacks=take_two threads=25 locks=ring edges=25 */
/* RUN */
#include "../sample.h"

#define RING 25

static pthread_mutex_t ring[RING];
static int step, alive;

static NOINLINE void take_two(int i)
{
	pthread_mutex_lock(&ring[i]);
	pthread_mutex_lock(&ring[(i + 1) % RING]);
	pthread_mutex_unlock(&ring[(i + 1) % RING]);
	pthread_mutex_unlock(&ring[i]);
}

static void *member(void *arg)
{
	int i = (int)(intptr_t)arg;

	meet(&alive, RING);
	until(&step, i);
	take_two(i);
	step_to(&step, i + 1);
	until(&step, RING);
	return NULL;
}

int main(void)
{
	pthread_t t[RING];

	for (int i = 0; i < RING; i++)
		pthread_mutex_init(&ring[i], NULL);
	for (intptr_t i = 0; i < RING; i++)
		t[i] = start(member, (void *)i);
	for (int i = 0; i < RING; i++)
		finish(t[i]);
	return 0;
}
