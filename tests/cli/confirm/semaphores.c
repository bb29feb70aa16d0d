/* SPDX-License-Identifier: MIT */
/* FEASIBLE two semaphores that are used as locks */
#include "confirm.h"

static sem_t a, b;

static NOINLINE void both(sem_t *first, sem_t *second)
{
	sem_wait(first);
	sem_wait(second);
	sem_post(second);
	sem_post(first);
}

static void *work(void *arg)
{
	for (int i = 0; i < 2; i++) {
		if (arg)
			both(&b, &a);
		else
			both(&a, &b);
	}
	return NULL;
}

int main(void)
{
	sem_init(&a, 0, 1);
	sem_init(&b, 0, 1);
	run_apart(work, 2);
	return 0;
}
