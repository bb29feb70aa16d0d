/* SPDX-License-Identifier: MIT */
/* SCENARIO S28: a lock is read twice, another thread writes it, and writers are preferred, in a recorded build */
/* EXPECT lock-order-inversion confidence=potential stacks=read_again threads=1..2 */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

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
