/* SPDX-License-Identifier: MIT */
/* SCENARIO S46: T2 holds L while T1 forks; the child locks L */
/* EXPECT fork-with-lock-held confidence=observed stacks=write_log,flush_log,start_worker threads=2..3 locks=log_lock roles=waits,holds,creates */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int step;

static NOINLINE void flush_log(void)
{
	pthread_mutex_lock(&log_lock);
	step_to(&step, 1);
	until(&step, 2);
	pthread_mutex_unlock(&log_lock);
}

static void *flusher(void *arg)
{
	flush_log();
	return arg;
}

static NOINLINE void write_log(void)
{
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
}

static NOINLINE pid_t start_worker(void)
{
	pid_t child = fork();

	if (!child) {
		write_log();
		_exit(0);
	}
	return child;
}

int main(void)
{
	pthread_t t = start(flusher, NULL);
	pid_t child;
	int status;

	until(&step, 1);
	child = start_worker();
	step_to(&step, 2);
	pthread_join(t, NULL);
	waitpid(child, &status, 0);
	return 0;
}
