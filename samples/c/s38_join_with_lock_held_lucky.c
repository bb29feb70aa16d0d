/* SPDX-License-Identifier: MIT */
/* SCENARIO S38: the same, but T was done with L before main took it: possible, not observed */
/* EXPECT deadlock|lock-order-inversion confidence=potential stacks=stop_worker,flush_log threads=2 locks=log_lock */
/* RUN status=any */
#include "../sample.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int flushed;

static NOINLINE void flush_log(void)
{
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
}

static void *worker(void *arg)
{
	flush_log();
	step_to(&flushed, 1);
	return arg;
}

static NOINLINE void stop_worker(pthread_t t)
{
	pthread_mutex_lock(&log_lock);
	pthread_join(t, NULL);
	pthread_mutex_unlock(&log_lock);
}

int main(void)
{
	pthread_t t = start(worker, NULL);

	until(&flushed, 1);
	stop_worker(t);
	return 0;
}
