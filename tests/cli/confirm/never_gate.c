/* SPDX-License-Identifier: MIT */
/* INFEASIBLE a word that both look at, with a gate that only the words keep: the second waits until the first is done */
#include "two_mutexes.h"

static int done;

static void part(long number)
{
	while (number && !__atomic_load_n(&done, __ATOMIC_SEQ_CST))
		pause_ms(1);
	forth_or_back(number);
	__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
}

int main(void)
{
	return run_apart(part, 2);
}
