/* SPDX-License-Identifier: MIT */
/* SCENARIO S72: more events than a small --max-size holds, with a lock held across the hole; in full all is recorded */
/* NEVER unlock-not-owned unlock-not-locked lock-held-at-thread-exit lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t held_across = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t flood = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never_signalled = PTHREAD_COND_INITIALIZER;
static long total;

static void *flooder(void *arg)
{
	pthread_mutex_t *mine = (pthread_mutex_t *)arg;

	if (mine)
		pthread_mutex_lock(mine);
	for (int i = 0; i < 700000; i++) {
		pthread_mutex_lock(&flood);
		total++;
		pthread_mutex_unlock(&flood);
	}
	if (mine)
		pthread_mutex_unlock(mine);
	pthread_cond_broadcast(&never_signalled);
	return NULL;
}

int main(void)
{
	pthread_t a = start(flooder, &held_across), b = start(flooder, NULL);

	finish(a);
	finish(b);
	printf("%ld\n", total);
	return 0;
}
