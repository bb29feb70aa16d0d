/* SPDX-License-Identifier: MIT */
/* FEASIBLE two mutexes, two threads, one after the other */
#include "two_mutexes.h"

int main(void)
{
	return run_apart(forth_or_back, 2);
}
