/* SPDX-License-Identifier: MIT */
/* FEASIBLE two mutexes, two threads, one after the other */
#include "two_locks.h"

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
