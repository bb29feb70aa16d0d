/* SPDX-License-Identifier: MIT */
/* SHOWS a thread waits for data in a pipe with a lock held that another one waits for */
/* EXPECT lock-held-across-blocking-call confidence=observed level=warning stacks=refresh,slow_call,use locks=m roles=holds,blocks,waits */
/* ALLOW hold-time */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int step, tid;
static int ends[2];

static NOINLINE void slow_call(void)
{
	char byte;

	step_to(&step, 2);
	if (read(ends[0], &byte, 1) != 1)
		abort();
}

static NOINLINE void refresh(void)
{
	pthread_mutex_lock(&m);
	step_to(&step, 1);
	until_asleep(&tid);
	slow_call();
	pthread_mutex_unlock(&m);
}

static void *holder(void *arg)
{
	refresh();
	return arg;
}

static NOINLINE void use(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
}

static void *waiter(void *arg)
{
	until(&step, 1);
	publish_tid(&tid);
	use();
	return arg;
}

static void *writer(void *arg)
{
	struct timespec t = { 0, 300000000 };

	until(&step, 2);
	nanosleep(&t, NULL);
	if (write(ends[1], "x", 1) != 1)
		abort();
	return arg;
}

int main(void)
{
	pthread_t t;

	if (pipe(ends))
		return 1;
	t = start(writer, NULL);
	run_two(holder, waiter);
	finish(t);
	return 0;
}
