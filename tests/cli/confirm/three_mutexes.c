/* SPDX-License-Identifier: MIT */
/* FEASIBLE a circle of three, the same code with other locks */
#include "confirm.h"

static pthread_mutex_t lock[3] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				   PTHREAD_MUTEX_INITIALIZER };

BOTH(both, MUTEX, MUTEX)

static void part(long number)
{
	both(&lock[number], &lock[(number + 1) % 3]);
}

int main(void)
{
	return run_apart(part, 3);
}
