/* SPDX-License-Identifier: MIT */
/* INFEASIBLE a lock of the program's own, of one atomic word, keeps the two apart */
#include "confirm.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
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

static NOINLINE void forth(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static NOINLINE void back(void)
{
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
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
