/* SPDX-License-Identifier: MIT */
/* FEASIBLE two mutexes, two threads, one after the other */
#include "confirm.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void forth(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static NOINLINE void back(void)
{
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

static void *work(void *arg)
{
	if (arg)
		back();
	else
		forth();
	return NULL;
}

int main(void)
{
	run_apart(work, 2);
	return 0;
}
