/* SPDX-License-Identifier: MIT */
/* SHOWS an rwlock held for writing by one thread and unlocked by another */
/* EXPECT unlock-not-owned confidence=observed stacks=stranger locks=rw */
/* RUN */
#include "../sample.h"

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static int step;

static void *owner(void *arg)
{
	pthread_rwlock_wrlock(&rw);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *stranger(void *arg)
{
	until(&step, 1);
	pthread_rwlock_unlock(&rw);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(owner, stranger);
	return 0;
}
