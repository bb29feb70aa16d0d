/* SPDX-License-Identifier: MIT */
/* SHOWS an rwlock destroyed while it is held for reading by the destroyer: glibc says nothing */
/* EXPECT destroy-locked confidence=observed stacks=main locks=rw */
/* ALLOW lock-held-at-exit */
/* RUN */
#include "../sample.h"

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

int main(void)
{
	pthread_rwlock_rdlock(&rw);
	pthread_rwlock_destroy(&rw);
	return 0;
}
