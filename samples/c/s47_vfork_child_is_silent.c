/* SPDX-License-Identifier: MIT */
/* SCENARIO S47,I10: vfork children lock and unlock, exec with a clean environment, fail to exec and end; the parent's trace stays whole */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 locks=a,b */
/* NEVER unlock-not-owned unlock-not-locked double-lock lock-held-at-exit fork-with-lock-held */
/* RUN */
#include "../sample.h"

#include <spawn.h>
#include <sys/wait.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static int alive, step;

static NOINLINE void reap(pid_t child, int expected)
{
	int status = -1;

	if (waitpid(child, &status, 0) != child || status != expected)
		_exit(3);
}

static NOINLINE void children(void)
{
	char *const words[] = { (char *)"true", NULL }, *const nothing[] = { NULL };
	pid_t child;

	child = vfork();
	if (!child) {
		pthread_mutex_lock(&shared); /* of the parent's memory, and unlocked there */
		pthread_mutex_unlock(&shared);
		_exit(7);
	}
	reap(child, 7 << 8);
	child = vfork();
	if (!child) {
		execve("/bin/true", words, nothing);
		_exit(1);
	}
	reap(child, 0);
	child = vfork();
	if (!child) {
		execve("/nowhere/at/all", words, nothing);
		_exit(9);
	}
	reap(child, 9 << 8);
	MUST(posix_spawn(&child, "/bin/true", NULL, NULL, words, nothing));
	reap(child, 0);
	MUST(posix_spawnp(&child, "true", NULL, NULL, words, nothing));
	reap(child, 0);
	pthread_mutex_lock(&shared);
	pthread_mutex_unlock(&shared);
}

static void *forwards(void *arg)
{
	meet(&alive, 2);
	children();
	pthread_mutex_lock(&a);
	children();
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	step_to(&step, 1);
	return arg;
}

static void *backwards(void *arg)
{
	meet(&alive, 2);
	children();
	until(&step, 1);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

int main(void)
{
	run_two(forwards, backwards);
	return 0;
}
