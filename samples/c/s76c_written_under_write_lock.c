/* SPDX-License-Identifier: MIT */
/* SCENARIO S76c: its twin: who counts holds the lock for writing, who only looks for reading */
/* NEVER data-race */
/* ALLOW lock-contention|hold-time */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

static long hits, table[4];
static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;

static void *read_all(void *arg)
{
	long sum = 0;

	for (int i = 0; i < 50; i++) {
		MUST(pthread_rwlock_rdlock(&table_lock));
		sum += table[i & 3] + hits;
		MUST(pthread_rwlock_unlock(&table_lock));
		MUST(pthread_rwlock_wrlock(&table_lock));
		hits++;
		MUST(pthread_rwlock_unlock(&table_lock));
	}
	return sum < 0 ? NULL : arg;
}

int main(void)
{
	run_two(read_all, read_all);
	return hits != 100;
}
