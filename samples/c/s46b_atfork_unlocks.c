/* SPDX-License-Identifier: MIT */
/* SCENARIO S46b,I9: handlers of pthread_atfork take all locks before the fork and release, or make them anew, on both sides */
/* NEVER fork-with-lock-held deadlock stuck-wait self-deadlock */
/* RUN clean */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t unlocked_after = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t made_anew = PTHREAD_MUTEX_INITIALIZER;
static int stop;

static void before(void)
{
	pthread_mutex_lock(&unlocked_after);
	pthread_mutex_lock(&made_anew);
}

static void in_parent(void)
{
	pthread_mutex_unlock(&made_anew);
	pthread_mutex_unlock(&unlocked_after);
}

static void in_child(void)
{
	pthread_mutex_init(&made_anew, NULL);
	pthread_mutex_unlock(&unlocked_after);
}

static void use(void)
{
	pthread_mutex_lock(&unlocked_after);
	pthread_mutex_unlock(&unlocked_after);
	pthread_mutex_lock(&made_anew);
	pthread_mutex_unlock(&made_anew);
}

static void *user(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		use();
	return arg;
}

int main(void)
{
	pthread_t t;
	int status;

	pthread_atfork(before, in_parent, in_child);
	t = start(user, NULL);
	for (int i = 0; i < 5; i++) {
		pid_t child = fork();

		if (!child) {
			use();
			_exit(0);
		}
		waitpid(child, &status, 0);
	}
	step_to(&stop, 1);
	finish(t);
	return 0;
}
