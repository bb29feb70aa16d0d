/* SPDX-License-Identifier: MIT */
/* INFEASIBLE a lock of the program's own, of one atomic word, keeps the two apart */
#include "two_locks.h"

static int gate;

static void enter(void)
{
	while (__atomic_exchange_n(&gate, 1, __ATOMIC_SEQ_CST))
		pause_ms(1);
}

static void leave(void)
{
	__atomic_store_n(&gate, 0, __ATOMIC_SEQ_CST);
}

static void *work(void *arg)
{
	for (int i = 0; i < 3; i++) {
		enter();
		if (arg)
			back();
		else
			forth();
		leave();
	}
	return NULL;
}

int main(void)
{
	run_apart(work, 2);
	return 0;
}
