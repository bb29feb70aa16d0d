/* SPDX-License-Identifier: MIT */
/* SCENARIO S69: two threads, 1000 lock and unlock calls each on one lock: the number of events is known */
/* NEVER lock-order-inversion */
/* RUN clean */
/* BUILD libs=dl */
#include "../sample.h"

pthread_mutex_t counted_lock = PTHREAD_MUTEX_INITIALIZER;
static long total;

static void *caller(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&counted_lock);
		total++;
		pthread_mutex_unlock(&counted_lock);
	}
	return arg;
}

int main(void)
{
	run_two(caller, caller);
	printf("%ld\n", total);
	return 0;
}
