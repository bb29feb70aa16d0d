/* SPDX-License-Identifier: MIT */
/* SCENARIO S75: its twin: each has a lock of its own as well, but one is common to both */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

static long balance;
static pthread_mutex_t common = PTHREAD_MUTEX_INITIALIZER, in_lock = PTHREAD_MUTEX_INITIALIZER,
		       out_lock = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void change(pthread_mutex_t *own, long by)
{
	for (int i = 0; i < 50; i++) {
		MUST(pthread_mutex_lock(own));
		MUST(pthread_mutex_lock(&common));
		balance += by;
		MUST(pthread_mutex_unlock(&common));
		MUST(pthread_mutex_unlock(own));
	}
}

static void *deposit(void *arg)
{
	change(&in_lock, 2);
	return arg;
}

static void *withdraw(void *arg)
{
	change(&out_lock, -2);
	return arg;
}

int main(void)
{
	run_two(deposit, withdraw);
	return balance != 0;
}
