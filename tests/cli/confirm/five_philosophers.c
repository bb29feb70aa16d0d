/* SPDX-License-Identifier: MIT */
/* FEASIBLE a circle of five, each eats three times */
#include "confirm.h"

static pthread_mutex_t fork_[5] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				    PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				    PTHREAD_MUTEX_INITIALIZER };

BOTH(eat, MUTEX, MUTEX)

static void part(long number)
{
	for (int i = 0; i < 3; i++)
		eat(&fork_[number], &fork_[(number + 1) % 5]);
}

int main(void)
{
	return run_apart(part, 5);
}
