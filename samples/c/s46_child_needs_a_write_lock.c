/* SPDX-License-Identifier: MIT */
/* SCENARIO S46: the same with a read-write lock that a writer holds, and a child that the parent does not wait for in a call */
/* EXPECT fork-with-lock-held confidence=observed locks=table */
/* NEVER deadlock stuck-wait self-deadlock lock-order-inversion */
/* RUN timeout=2 */
#include "../sample.h"

#include <sys/wait.h>

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static int held, over;

static void *writer(void *arg)
{
	pthread_rwlock_wrlock(&table);
	step_to(&held, 1);
	until(&over, 1);
	pthread_rwlock_unlock(&table);
	return arg;
}

int main(void)
{
	pthread_t t = start(writer, NULL);
	pid_t child;

	until(&held, 1);
	child = fork();
	if (!child) {
		pthread_rwlock_rdlock(&table);
		pthread_rwlock_unlock(&table);
		_exit(0);
	}
	step_to(&over, 1);
	finish(t);
	while (waitpid(child, NULL, WNOHANG) == 0)
		usleep(1000);
	return 0;
}
