/* SPDX-License-Identifier: MIT */
/* SHOWS a condition wait takes its mutex back while another lock is held, which another thread takes under that mutex: proven */
/* EXPECT lock-order-inversion confidence=proven level=error threads=2 stacks=waiter,other roles=holds,acquires locks=outer,monitor */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, monitor = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int full, step;

static void *waiter(void *arg)
{
	MUST(pthread_mutex_lock(&outer));
	MUST(pthread_mutex_lock(&monitor));
	while (!full)
		MUST(pthread_cond_wait(&changed, &monitor));
	MUST(pthread_mutex_unlock(&monitor));
	MUST(pthread_mutex_unlock(&outer));
	unseen_step_to(&step, 1);
	return arg;
}

static void *other(void *arg)
{
	MUST(pthread_mutex_lock(&monitor));
	full = 1;
	MUST(pthread_cond_signal(&changed));
	MUST(pthread_mutex_unlock(&monitor));
	unseen_until(&step, 1);
	MUST(pthread_mutex_lock(&monitor));
	MUST(pthread_mutex_lock(&outer));
	MUST(pthread_mutex_unlock(&outer));
	MUST(pthread_mutex_unlock(&monitor));
	return arg;
}

int main(void)
{
	run_two(waiter, other);
	return 0;
}
