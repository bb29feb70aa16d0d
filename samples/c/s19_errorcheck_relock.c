/* SPDX-License-Identifier: MIT */
/* SCENARIO S19: an ERRORCHECK mutex locked again by its owner gives EDEADLK; it stays held once */
/* EXPECT double-lock confidence=observed level=error stacks=relock threads=1 locks=strict */
/* NEVER self-deadlock unlock-not-locked lock-held-at-exit */
/* RUN */
#include "../sample.h"

static pthread_mutex_t strict = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

static NOINLINE void relock(void)
{
	GIVES(EDEADLK, pthread_mutex_lock(&strict));
}

int main(void)
{
	MUST(pthread_mutex_lock(&strict));
	relock();
	MUST(pthread_mutex_unlock(&strict));
	return 0;
}
