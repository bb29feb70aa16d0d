/* SPDX-License-Identifier: MIT */
/* s64d_ends.h - threads in every state, for a process that ends without asking them. */
#include "../sample.h"

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t wanted = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int waiter, blocked, ready;

static void *waits(void *arg)
{
	pthread_mutex_lock(&held);
	__atomic_store_n(&waiter, my_tid(), __ATOMIC_SEQ_CST);
	pthread_cond_wait(&never, &held);
	return arg;
}

static void *blocks(void *arg)
{
	__atomic_store_n(&blocked, my_tid(), __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&wanted);
	return arg;
}

static void *runs(void *arg)
{
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		sched_yield();
	return arg;
}

static void *finishes(void *arg)
{
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	return arg;
}

static void make_threads(void)
{
	pthread_mutex_lock(&wanted);
	start(waits, NULL);
	start(blocks, NULL);
	start(runs, NULL);
	start(finishes, NULL);
	until(&ready, 2);
	until_asleep(&waiter);
	until_asleep(&blocked);
}
