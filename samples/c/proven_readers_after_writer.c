/* SPDX-License-Identifier: MIT */
/* SCENARIO S27: the same where writers are preferred and a third thread writes: a note, in a recorded build too */
/* EXPECT lock-order-inversion level=note stacks=first,second */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP,
			rows = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

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

static void *third(void *arg)
{
	unseen_until(&step, 2);
	MUST(pthread_rwlock_wrlock(&rows));
	MUST(pthread_rwlock_unlock(&rows));
	return arg;
}

int main(void)
{
	pthread_t last = start(third, NULL);

	run_two(first, second);
	finish(last);
	return 0;
}
