/* SPDX-License-Identifier: MIT */
/* SCENARIO S27: one reads two locks, the other reads the second and writes the first; readers are preferred, in a recorded build */
/* NEVER lock-order-inversion data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER, rows = PTHREAD_RWLOCK_INITIALIZER;

static void *first(void *arg)
{
	MUST(pthread_rwlock_rdlock(&table));
	MUST(pthread_rwlock_rdlock(&rows));
	MUST(pthread_rwlock_unlock(&rows));
	MUST(pthread_rwlock_unlock(&table));
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	MUST(pthread_rwlock_rdlock(&rows));
	MUST(pthread_rwlock_wrlock(&table));
	MUST(pthread_rwlock_unlock(&table));
	MUST(pthread_rwlock_unlock(&rows));
	unseen_step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
