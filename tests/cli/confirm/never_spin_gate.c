/* SPDX-License-Identifier: MIT */
/* INFEASIBLE a lock of the program's own, of one atomic word, keeps the two apart */
#include "two_mutexes.h"

static int gate;

static void part(long number)
{
	for (int i = 0; i < 3; i++) {
		while (__atomic_exchange_n(&gate, 1, __ATOMIC_SEQ_CST))
			pause_ms(1);
		forth_or_back(number);
		__atomic_store_n(&gate, 0, __ATOMIC_SEQ_CST);
	}
}

int main(void)
{
	return run_apart(part, 2);
}
