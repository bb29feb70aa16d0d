/* SPDX-License-Identifier: MIT */
/* SHOWS a deadlock in a forked child: found there, while the parent waits for the child */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards threads=2 locks=a,b */
/* RUN timeout=2 */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int holding;

static void *forwards(void *arg)
{
	pthread_mutex_lock(&a);
	meet(&holding, 2);
	pthread_mutex_lock(&b);
	return arg;
}

static void *backwards(void *arg)
{
	pthread_mutex_lock(&b);
	meet(&holding, 2);
	pthread_mutex_lock(&a);
	return arg;
}

int main(void)
{
	pid_t child = fork();

	if (!child) {
		run_two(forwards, backwards);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
