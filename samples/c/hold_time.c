/* SPDX-License-Identifier: MIT */
/* SHOWS a lock held for a third of a second while another thread waits for it: a note */
/* EXPECT hold-time level=note stacks=slow_work locks=m */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int step, tid;

static NOINLINE void slow_work(void)
{
	struct timespec third = { 0, 333000000 };

	pthread_mutex_lock(&m);
	step_to(&step, 1);
	until_asleep(&tid);
	nanosleep(&third, NULL); /* the work, not a synchronisation */
	pthread_mutex_unlock(&m);
}

static void *slow(void *arg)
{
	slow_work();
	return arg;
}

static void *waiting(void *arg)
{
	until(&step, 1);
	publish_tid(&tid);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	run_two(slow, waiting);
	return 0;
}
