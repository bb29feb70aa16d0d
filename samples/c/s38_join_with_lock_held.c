/* SPDX-License-Identifier: MIT */
/* SCENARIO S38: main joins T while it holds L; T needs L: both hang */
/* EXPECT deadlock confidence=observed level=error stacks=stop_worker,flush_log threads=2 locks=log_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int locked;

static NOINLINE void flush_log(void)
{
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
}

static void *worker(void *arg)
{
	until(&locked, 1);
	flush_log();
	return arg;
}

static NOINLINE void stop_worker(pthread_t t)
{
	pthread_mutex_lock(&log_lock);
	step_to(&locked, 1);
	pthread_join(t, NULL);
	pthread_mutex_unlock(&log_lock);
}

int main(void)
{
	stop_worker(start(worker, NULL));
	return 0;
}
