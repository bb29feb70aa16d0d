/* SPDX-License-Identifier: MIT */
/* SHOWS an ERRORCHECK mutex unlocked by another thread: EPERM, and the owner still holds it */
/* EXPECT unlock-not-owned confidence=observed stacks=stranger threads=2 locks=m */
/* NEVER unlock-not-locked lock-held-at-thread-exit */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static int step;

static void *owner(void *arg)
{
	MUST(pthread_mutex_lock(&m));
	step_to(&step, 1);
	until(&step, 2);
	MUST(pthread_mutex_unlock(&m));
	return arg;
}

static void *stranger(void *arg)
{
	until(&step, 1);
	GIVES(EPERM, pthread_mutex_unlock(&m));
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(owner, stranger);
	return 0;
}
