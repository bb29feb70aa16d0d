/* SPDX-License-Identifier: MIT */
/* SHOWS threads that end by return, pthread_exit, pthread_exit from deep inside, cancel, async cancel; tryjoin, timedjoin */
/* NEVER leaked-thread double-join lock-held-at-thread-exit */
/* RUN clean */
#include "../sample.h"

static int tid, go;

static void *returns(void *arg)
{
	return arg;
}

static void *exits(void *arg)
{
	pthread_exit(arg);
}

static NOINLINE void dive(int depth, void *value)
{
	char room[256];

	memset(room, depth, sizeof(room));
	__asm__ volatile("" : : "r"(room) : "memory");
	if (depth < 0)
		return;
	if (!depth)
		pthread_exit(value);
	dive(depth - 1, value);
	__asm__ volatile("" : : "r"(room) : "memory");
}

static void *exits_deep(void *arg)
{
	dive(20, arg);
	return NULL;
}

static void *spins_until_cancelled(void *arg)
{
	MUST(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
	publish_tid(&tid);
	for (;;)
		__asm__ volatile("pause");
	return arg;
}

static void *waits(void *arg)
{
	until(&go, 1);
	return arg;
}

int main(void)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 600000), past = { 1, 0 };
	void *(*routine[])(void *) = { returns, exits, exits_deep };
	void *result;
	pthread_t t;

	for (int i = 0; i < 3; i++) {
		MUST(pthread_create(&t, NULL, routine[i], &go));
		MUST(pthread_join(t, &result));
		if (result != &go)
			return 3;
	}
	t = start(spins_until_cancelled, NULL);
	while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
		sched_yield();
	MUST(pthread_cancel(t));
	MUST(pthread_join(t, &result));

	t = start(waits, NULL);
	GIVES(EBUSY, pthread_tryjoin_np(t, NULL));
	GIVES(ETIMEDOUT, pthread_timedjoin_np(t, NULL, &past));
	GIVES(ETIMEDOUT, pthread_clockjoin_np(t, NULL, CLOCK_MONOTONIC, &past));
	step_to(&go, 1);
	MUST(pthread_timedjoin_np(t, NULL, &later));
	t = start(returns, NULL);
	while (pthread_tryjoin_np(t, NULL) == EBUSY)
		sched_yield();
	return 0;
}
