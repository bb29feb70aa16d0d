/* SPDX-License-Identifier: MIT */
/* SCENARIO S45: priority-inheritance mutexes in both orders: the kernel sees the cycle, libc waits all the same */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards locks=a,b threads=2 */
/* ALLOW lock-order-inversion level=any */
/* RUN timeout=2 */
#include "../sample.h"

static pthread_mutex_t a, b;
static int both;

static void *forwards(void *arg)
{
	MUST(pthread_mutex_lock(&a));
	meet(&both, 2);
	MUST(pthread_mutex_lock(&b));
	return arg;
}

static void *backwards(void *arg)
{
	MUST(pthread_mutex_lock(&b));
	meet(&both, 2);
	MUST(pthread_mutex_lock(&a));
	return arg;
}

int main(void)
{
	pthread_mutexattr_t attr;

	MUST(pthread_mutexattr_init(&attr));
	MUST(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	MUST(pthread_mutex_init(&a, &attr));
	MUST(pthread_mutex_init(&b, &attr));
	run_two(forwards, backwards);
	return 0;
}
