/* SPDX-License-Identifier: MIT */
/* FEASIBLE two semaphores that are used as locks, by both threads twice */
#include "confirm.h"

static sem_t slot[2];

BOTH(both, SEMAPHORE, SEMAPHORE)

static void part(long number)
{
	for (int i = 0; i < 2; i++)
		both(&slot[number], &slot[!number]);
}

int main(void)
{
	for (int i = 0; i < 2; i++)
		MUST(sem_init(&slot[i], 0, 1));
	return run_apart(part, 2);
}
