/* SPDX-License-Identifier: MIT */
/* SCENARIO S75: two threads write one counter, each under a lock of its own: no common lock, in a recorded build */
/* EXPECT data-race confidence=observed level=error threads=2 stacks=deposit,withdraw roles=accesses locks=balance,in_lock,out_lock says=different+locks */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static long balance;
static pthread_mutex_t in_lock = PTHREAD_MUTEX_INITIALIZER, out_lock = PTHREAD_MUTEX_INITIALIZER;

static void *deposit(void *arg)
{
	for (int i = 0; i < 50; i++) {
		MUST(pthread_mutex_lock(&in_lock));
		balance += 2;
		MUST(pthread_mutex_unlock(&in_lock));
	}
	return arg;
}

static void *withdraw(void *arg)
{
	for (int i = 0; i < 50; i++) {
		MUST(pthread_mutex_lock(&out_lock));
		balance -= 2;
		MUST(pthread_mutex_unlock(&out_lock));
	}
	return arg;
}

int main(void)
{
	run_two(deposit, withdraw);
	return 0;
}
