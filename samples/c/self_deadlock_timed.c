/* SPDX-License-Identifier: MIT */
/* SHOWS a timed lock of an own mutex: it ends by itself, with ETIMEDOUT */
/* EXPECT double-lock confidence=observed threads=1 stacks=main locks=m */
/* NEVER deadlock self-deadlock unlock-not-locked */
/* RUN status=any */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
	struct timespec soon = in_ms(CLOCK_REALTIME, 20);

	MUST(pthread_mutex_lock(&m));
	GIVES(ETIMEDOUT, pthread_mutex_timedlock(&m, &soon));
	MUST(pthread_mutex_unlock(&m));
	return 0;
}
