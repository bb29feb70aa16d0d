/* SPDX-License-Identifier: MIT */
/* INFEASIBLE a word that both look at, with a gate that only the words keep: the second waits until the first is done */
#include "two_locks.h"

static int done;

static void *work(void *arg)
{
	if (!arg) {
		forth();
		__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
		return NULL;
	}
	while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST))
		pause_ms(1);
	back();
	return NULL;
}

int main(void)
{
	run_apart(work, 2);
	return 0;
}
