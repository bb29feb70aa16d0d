/* SPDX-License-Identifier: MIT */
/* SHOWS a write lock asked for again, for writing and for reading, by its owner: EDEADLK each time */
/* EXPECT double-lock confidence=observed count=1..2 threads=1 stacks=main locks=rw */
/* NEVER self-deadlock unlock-not-locked */
/* RUN */
#include "../sample.h"

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

int main(void)
{
	MUST(pthread_rwlock_wrlock(&rw));
	GIVES(EDEADLK, pthread_rwlock_wrlock(&rw));
	GIVES(EDEADLK, pthread_rwlock_rdlock(&rw));
	MUST(pthread_rwlock_unlock(&rw));
	return 0;
}
