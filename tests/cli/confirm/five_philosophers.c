/* SPDX-License-Identifier: MIT */
/* FEASIBLE a circle of five, each eats three times */
#include "confirm.h"

static pthread_mutex_t fork_[5];

static NOINLINE void eat(int left, int right)
{
	pthread_mutex_lock(&fork_[left]);
	pthread_mutex_lock(&fork_[right]);
	pthread_mutex_unlock(&fork_[right]);
	pthread_mutex_unlock(&fork_[left]);
}

static void *work(void *arg)
{
	int k = (int)(long)arg;

	for (int i = 0; i < 3; i++)
		eat(k, (k + 1) % 5);
	return NULL;
}

int main(void)
{
	for (int i = 0; i < 5; i++)
		pthread_mutex_init(&fork_[i], NULL);
	run_apart(work, 5);
	return 0;
}
