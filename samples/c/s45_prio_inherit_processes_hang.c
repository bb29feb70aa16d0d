/* SPDX-License-Identifier: MIT */
/* SCENARIO S45: process-shared priority-inheritance mutexes in both orders, one in each of two processes */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards */
/* ALLOW lock-order-inversion level=any */
/* RUN timeout=2 */
#include "../process.h"

struct area {
	pthread_mutex_t a, b;
	int both;
};

static struct area *area;

static int forwards(void)
{
	MUST(pthread_mutex_lock(&area->a));
	meet(&area->both, 2);
	MUST(pthread_mutex_lock(&area->b));
	return 0;
}

static NOINLINE void backwards(void)
{
	MUST(pthread_mutex_lock(&area->b));
	meet(&area->both, 2);
	MUST(pthread_mutex_lock(&area->a));
}

int main(void)
{
	pthread_mutexattr_t attr;
	pid_t pid;

	area = (struct area *)share(sizeof(*area));
	MUST(pthread_mutexattr_init(&attr));
	MUST(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	MUST(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	MUST(pthread_mutex_init(&area->a, &attr));
	MUST(pthread_mutex_init(&area->b, &attr));
	pid = start_child(forwards);
	backwards();
	finish_child(pid);
	return 0;
}
