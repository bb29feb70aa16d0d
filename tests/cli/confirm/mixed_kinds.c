/* SPDX-License-Identifier: MIT */
/* FEASIBLE a circle of three kinds, gone round twice: mutex, read-write lock, semaphore */
#define OUTER_MUTEX MUTEX
#define OUTER_TABLE READ
#define OUTER_SLOT SEMAPHORE
#include "three_kinds.h"

static void part(long number)
{
	for (int i = 0; i < 2; i++)
		go_round(number);
}

int main(void)
{
	return run_three(part);
}
