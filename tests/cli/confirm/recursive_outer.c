/* SPDX-License-Identifier: MIT */
/* FEASIBLE the outer lock is recursive and was taken twice; both threads go round many times */
#include "confirm.h"

static pthread_mutex_t outer = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
		       inner = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void forth(void)
{
	pthread_mutex_lock(&outer);
	pthread_mutex_lock(&outer);
	pthread_mutex_unlock(&outer);
	pthread_mutex_lock(&inner);
	pthread_mutex_unlock(&inner);
	pthread_mutex_unlock(&outer);
}

static NOINLINE void back(void)
{
	pthread_mutex_lock(&inner);
	pthread_mutex_lock(&outer);
	pthread_mutex_unlock(&outer);
	pthread_mutex_unlock(&inner);
}

static void *work(void *arg)
{
	for (int i = 0; i < 5; i++) {
		if (arg)
			back();
		else
			forth();
	}
	return NULL;
}

int main(void)
{
	run_apart(work, 2);
	return 0;
}
