/* SPDX-License-Identifier: MIT */
/* SCENARIO S25: the same with a read lock on both sides and a writer who holds nothing else: nobody waits for a reader */
/* NEVER lock-order-inversion */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int step;

static void *first(void *arg)
{
	MUST(pthread_rwlock_wrlock(&table));
	MUST(pthread_rwlock_unlock(&table));
	MUST(pthread_rwlock_rdlock(&table));
	MUST(pthread_mutex_lock(&log_lock));
	MUST(pthread_mutex_unlock(&log_lock));
	MUST(pthread_rwlock_unlock(&table));
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	MUST(pthread_mutex_lock(&log_lock));
	MUST(pthread_rwlock_rdlock(&table));
	MUST(pthread_rwlock_unlock(&table));
	MUST(pthread_mutex_unlock(&log_lock));
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
