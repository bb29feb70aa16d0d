/* SPDX-License-Identifier: MIT */
/* SHOWS a reusable barrier made of a mutex, a condvar and a generation, used by four threads */
/* NEVER stuck-wait lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#define THREADS 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int arrived, generation;
static long grid[THREADS], next_grid[THREADS];

static void my_barrier(void)
{
	int mine;

	pthread_mutex_lock(&lock);
	mine = generation;
	if (++arrived == THREADS) {
		arrived = 0;
		generation++;
		pthread_cond_broadcast(&turned);
	} else {
		while (generation == mine)
			pthread_cond_wait(&turned, &lock);
	}
	pthread_mutex_unlock(&lock);
}

static void *smooth(void *arg)
{
	intptr_t me = (intptr_t)arg;

	for (int i = 0; i < 50; i++) {
		next_grid[me] = grid[(me + 1) % THREADS] + grid[(me + THREADS - 1) % THREADS];
		my_barrier();
		grid[me] = next_grid[me] / 2;
		my_barrier();
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	grid[0] = 1000;
	for (intptr_t i = 0; i < THREADS; i++)
		t[i] = start(smooth, (void *)i);
	for (int i = 0; i < THREADS; i++)
		finish(t[i]);
	return 0;
}
