/* SPDX-License-Identifier: MIT */
/* SCENARIO S76c: a hit counter is increased by threads that hold the read-write lock for reading only */
/* EXPECT data-race confidence=observed threads=2 stacks=look_up,look_up locks=hits,table_lock says=shared+one */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

static long hits, table[4];
static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;

static NOINLINE long look_up(int i)
{
	long value;

	MUST(pthread_rwlock_rdlock(&table_lock));
	hits++;
	value = table[i & 3];
	MUST(pthread_rwlock_unlock(&table_lock));
	return value;
}

static void *read_all(void *arg)
{
	for (int i = 0; i < 50; i++)
		if (look_up(i) < 0)
			abort();
	return arg;
}

int main(void)
{
	run_two(read_all, read_all);
	return 0;
}
