/* SPDX-License-Identifier: MIT */
/* SHOWS exit() with a lock held, and an exit handler that joins a thread which needs it */
/* EXPECT deadlock confidence=observed stacks=stop_worker,worker,fatal threads=2 locks=state_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t state_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t thread;
static int stopping;

static void *worker(void *arg)
{
	until(&stopping, 1);
	pthread_mutex_lock(&state_lock);
	pthread_mutex_unlock(&state_lock);
	return arg;
}

static void stop_worker(void)
{
	step_to(&stopping, 1);
	pthread_join(thread, NULL);
}

static NOINLINE void fatal(void)
{
	pthread_mutex_lock(&state_lock);
	exit(1);
}

int main(void)
{
	thread = start(worker, NULL);
	atexit(stop_worker);
	fatal();
	return 0;
}
