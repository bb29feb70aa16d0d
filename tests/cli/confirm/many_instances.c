/* SPDX-License-Identifier: MIT */
/* FEASIBLE transfers between ten accounts: most pairs are no circle, the right instances must meet */
#include "confirm.h"

static pthread_mutex_t account[10];

static NOINLINE void transfer(int from, int to)
{
	pthread_mutex_lock(&account[from]);
	pthread_mutex_lock(&account[to]);
	pthread_mutex_unlock(&account[to]);
	pthread_mutex_unlock(&account[from]);
}

static void *work(void *arg)
{
	for (int i = 0; i < 9; i++) {
		if (arg && i == 4)
			transfer(i + 1, i);
		else
			transfer(i, i + 1);
	}
	return NULL;
}

int main(void)
{
	for (int i = 0; i < 10; i++)
		pthread_mutex_init(&account[i], NULL);
	run_apart(work, 2);
	return 0;
}
