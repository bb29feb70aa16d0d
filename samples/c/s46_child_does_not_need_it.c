/* SPDX-License-Identifier: MIT */
/* SCENARIO S46: near misses: locks are held at each fork, but children try, time out, make it anew, unlock their own, or exec */
/* NEVER fork-with-lock-held deadlock stuck-wait */
/* ALLOW lock-held-at-exit level=note */
/* RUN clean */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t held_by_thread = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t held_by_forker = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t not_held = PTHREAD_MUTEX_INITIALIZER;
static int held, over;

static void *holder(void *arg)
{
	pthread_mutex_lock(&held_by_thread);
	step_to(&held, 1);
	until(&over, 1);
	pthread_mutex_unlock(&held_by_thread);
	return arg;
}

static void uses_another(void)
{
	pthread_mutex_lock(&not_held);
	pthread_mutex_unlock(&not_held);
}

static void tries(void)
{
	if (pthread_mutex_trylock(&held_by_thread) == 0)
		_exit(4);
}

static void times_out(void)
{
	struct timespec soon;

	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 1000000;
	if (soon.tv_nsec >= 1000000000) {
		soon.tv_nsec -= 1000000000;
		soon.tv_sec++;
	}
	if (pthread_mutex_timedlock(&held_by_thread, &soon) == 0)
		_exit(4);
}

static void makes_anew(void)
{
	pthread_mutex_init(&held_by_thread, NULL);
	pthread_mutex_lock(&held_by_thread);
	pthread_mutex_unlock(&held_by_thread);
}

static void unlocks_its_own(void)
{
	pthread_mutex_unlock(&held_by_forker);
	pthread_mutex_lock(&held_by_forker);
	pthread_mutex_unlock(&held_by_forker);
}

static void replaces_itself(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

int main(void)
{
	static void (*const children[])(void) = { uses_another, tries,		 times_out,
						  makes_anew,	unlocks_its_own, replaces_itself };
	pthread_t t = start(holder, NULL);

	until(&held, 1);
	for (unsigned i = 0; i < sizeof(children) / sizeof(children[0]); i++) {
		int status = -1;
		pid_t child;

		pthread_mutex_lock(&held_by_forker);
		child = fork();
		if (!child) {
			children[i]();
			_exit(0);
		}
		pthread_mutex_unlock(&held_by_forker);
		waitpid(child, &status, 0);
		GIVES(0, status);
	}
	step_to(&over, 1);
	finish(t);
	return 0;
}
