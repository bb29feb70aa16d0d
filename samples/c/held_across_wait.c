/* SPDX-License-Identifier: MIT */
/* SHOWS a thread waits for a child process with a lock held that another one waits for */
/* EXPECT lock-held-across-blocking-call confidence=observed level=warning stacks=refresh,slow_call,use locks=m roles=holds,blocks,waits */
/* ALLOW hold-time */
/* RUN clean */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int step, tid;
static pid_t child;

static NOINLINE void slow_call(void)
{
	int status;

	if (waitpid(child, &status, 0) != child)
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

int main(void)
{
	struct timespec t = { 0, 400000000 };

	child = fork();
	if (child == 0) {
		nanosleep(&t, NULL);
		_exit(0);
	}
	run_two(holder, waiter);
	return 0;
}
