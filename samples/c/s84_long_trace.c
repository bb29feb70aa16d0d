/* SPDX-License-Identifier: MIT */
/* SCENARIO S84: forty million events on a few locks: the analyzer streams, its memory does not follow the trace; what there is goes to the page, packed */
/* NEVER lock-order-inversion unlock-not-owned lock-held-at-thread-exit */
/* RUN clean once limit=140 rss=190 */
#include "../sample.h"

#define PAIRS 5000000

static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;

static void *worker(void *arg)
{
	pthread_mutex_t mine = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;

	for (int i = 0; i < PAIRS; i++) {
		pthread_mutex_lock(&mine);
		pthread_mutex_lock(&inner);
		pthread_mutex_unlock(&inner);
		pthread_mutex_unlock(&mine);
		if (i % 1000 == 0) {
			pthread_mutex_lock(&shared);
			pthread_mutex_unlock(&shared);
		}
	}
	return arg;
}

int main(void)
{
	run_two(worker, worker);
	return 0;
}
