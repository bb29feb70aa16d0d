/* SPDX-License-Identifier: MIT */
/* SCENARIO S86,I14: closes all descriptors, changes directory, root and user, then makes the inversion in a forked child */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 locks=a,b */
/* NEVER deadlock leaked-thread unlock-not-owned */
/* RUN */
#include "../sample.h"

#include <sys/resource.h>
#include <sys/wait.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *forwards(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *backwards(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	step_to(&step, 2);
	return arg;
}

/* Enough events for several segments of the file. */
static void *flood(void *arg)
{
	for (int i = 0; i < 50000; i++) {
		pthread_mutex_lock(&a);
		pthread_mutex_unlock(&a);
	}
	return arg;
}

static void drop_everything(void)
{
	struct rlimit few = { 16, 16 };

	close_range(3, ~0u, 0);
	if (chdir("/"))
		_exit(3);
	/* Without the right to, the rest stays as it is. */
	if (chroot("/var/empty") && chroot("/var/lib/misc"))
		errno = 0;
	if (geteuid() == 0 && setresuid(65534, 65534, 65534))
		_exit(3);
	setrlimit(RLIMIT_NOFILE, &few);
}

int main(void)
{
	int status = -1;
	pid_t child;

	drop_everything();
	flood(NULL);
	child = fork();
	if (!child) {
		flood(NULL);
		run_two(forwards, backwards);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return status;
}
