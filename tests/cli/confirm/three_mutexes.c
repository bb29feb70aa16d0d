/* SPDX-License-Identifier: MIT */
/* FEASIBLE a circle of three, the same code with other locks */
#include "confirm.h"

static pthread_mutex_t lock[3] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				   PTHREAD_MUTEX_INITIALIZER };

static NOINLINE void both(int first, int second)
{
	pthread_mutex_lock(&lock[first]);
	pthread_mutex_lock(&lock[second]);
	pthread_mutex_unlock(&lock[second]);
	pthread_mutex_unlock(&lock[first]);
}

static void *work(void *arg)
{
	int k = (int)(long)arg;

	both(k, (k + 1) % 3);
	return NULL;
}

int main(void)
{
	run_apart(work, 3);
	return 0;
}
