/* SPDX-License-Identifier: MIT */
/* SHOWS a lock held for a third of a second while another thread waits for it: a note */
/* EXPECT hold-time level=note stacks=slow_work locks=m */
/* NEVER lock-held-across-blocking-call */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int step, tid;

static NOINLINE void slow_work(void)
{
	struct timespec end, now;

	pthread_mutex_lock(&m);
	step_to(&step, 1);
	until_asleep(&tid);
	end = in_ms(CLOCK_MONOTONIC, 333);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now); /* the work */
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
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
