/* SPDX-License-Identifier: MIT */
/* SCENARIO S74: flockfile and then a mutex; elsewhere the mutex and then printf, whose lock is inside libc and never seen: missed */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t totals_lock = PTHREAD_MUTEX_INITIALIZER;
static long lines;
static int logged;

static NOINLINE void *log_line(void *arg)
{
	flockfile(stderr);
	pthread_mutex_lock(&totals_lock);
	lines++;
	pthread_mutex_unlock(&totals_lock);
	funlockfile(stderr);
	step_to(&logged, 1);
	return arg;
}

static NOINLINE void *log_totals(void *arg)
{
	until(&logged, 1);
	pthread_mutex_lock(&totals_lock);
	fprintf(stderr, "total %ld\n", lines);
	pthread_mutex_unlock(&totals_lock);
	return arg;
}

int main(void)
{
	run_two(log_line, log_totals);
	return 0;
}
