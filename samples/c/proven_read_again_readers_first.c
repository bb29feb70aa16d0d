/* SPDX-License-Identifier: MIT */
/* SCENARIO S28: the same where readers are preferred: a note at most */
/* ALLOW lock-order-inversion */
/* NEVER data-race deadlock */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

static NOINLINE void read_again(void)
{
	MUST(pthread_rwlock_rdlock(&table));
	MUST(pthread_rwlock_unlock(&table));
}

static void *first(void *arg)
{
	MUST(pthread_rwlock_rdlock(&table));
	read_again();
	MUST(pthread_rwlock_unlock(&table));
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	MUST(pthread_rwlock_wrlock(&table));
	sum++;
	MUST(pthread_rwlock_unlock(&table));
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
