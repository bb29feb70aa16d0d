/* SPDX-License-Identifier: MIT */
/* SHOWS a timed lock of an own mutex: it ends by itself, with ETIMEDOUT */
/* ALLOW self-deadlock|double-lock level=note..error */
/* NEVER deadlock unlock-not-locked */
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
