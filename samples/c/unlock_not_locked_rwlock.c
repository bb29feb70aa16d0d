/* SPDX-License-Identifier: MIT */
/* SHOWS an rwlock unlocked twice */
/* EXPECT unlock-not-locked confidence=observed stacks=main locks=rw */
/* RUN */
#include "../sample.h"

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

int main(void)
{
	pthread_rwlock_wrlock(&rw);
	pthread_rwlock_unlock(&rw);
	pthread_rwlock_unlock(&rw);
	return 0;
}
