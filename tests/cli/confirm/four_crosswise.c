/* SPDX-License-Identifier: MIT */
/* FEASIBLE a circle of four who come crosswise: whoever comes next is nobody's neighbour at first */
#include "confirm.h"

static pthread_mutex_t lock[4] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				   PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };

BOTH(both, MUTEX, MUTEX)

static void part(long number)
{
	static const int turn[] = { 0, 2, 1, 3 };
	int first = turn[number];

	both(&lock[first], &lock[(first + 1) % 4]);
}

int main(void)
{
	return run_apart(part, 4);
}
