/* SPDX-License-Identifier: MIT */
/* SCENARIO S46: a thread holds a lock while another forks; the child locks it and waits for ever */
/* EXPECT fork-with-lock-held confidence=observed locks=cache */
/* NEVER deadlock stuck-wait self-deadlock lock-order-inversion */
/* RUN timeout=2 */
#include "../sample.h"

#include <sys/wait.h>

static pthread_mutex_t cache = PTHREAD_MUTEX_INITIALIZER;
static int held, over;

static void *holder(void *arg)
{
	pthread_mutex_lock(&cache);
	step_to(&held, 1);
	until(&over, 1);
	pthread_mutex_unlock(&cache);
	return arg;
}

int main(void)
{
	pthread_t t = start(holder, NULL);
	pid_t child;

	until(&held, 1);
	child = fork();
	if (!child) {
		pthread_mutex_lock(&cache);
		pthread_mutex_unlock(&cache);
		_exit(0);
	}
	step_to(&over, 1);
	finish(t);
	waitpid(child, NULL, 0);
	return 0;
}
