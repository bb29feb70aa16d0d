/* SPDX-License-Identifier: MIT */
/* SCENARIO S46: a forked child waits on a condition variable for a thread that only its parent has; one finding */
/* EXPECT stuck-wait confidence=observed stacks=wait_ready */
/* NEVER deadlock */
/* RUN timeout=2 kill=1 */
#include "../process.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int step, ready;

static void *loader(void *arg)
{
	until(&step, 1);
	pthread_mutex_lock(&m);
	ready = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&m);
	return arg;
}

static NOINLINE int wait_ready(void)
{
	pthread_mutex_lock(&m);
	while (!ready)
		pthread_cond_wait(&changed, &m);
	pthread_mutex_unlock(&m);
	return 0;
}

int main(void)
{
	pthread_t t;
	pid_t pid;

	MUST(pthread_create(&t, NULL, loader, NULL));
	pid = start_child(wait_ready);
	step_to(&step, 1);
	wait_ready();
	MUST(pthread_join(t, NULL));
	finish_child(pid);
	return 0;
}
