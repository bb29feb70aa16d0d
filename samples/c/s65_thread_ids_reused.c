/* SPDX-License-Identifier: MIT */
/* SCENARIO S65: 100 threads one after the other reuse pthread_t and tid; the opposite orders are ordered by join */
/* NEVER lock-order-inversion leaked-thread double-join */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;

static void *alternate(void *arg)
{
	pthread_mutex_t *outer = arg ? &a : &b, *inner = arg ? &b : &a;

	pthread_mutex_lock(outer);
	pthread_mutex_lock(inner);
	pthread_mutex_unlock(inner);
	pthread_mutex_unlock(outer);
	return NULL;
}

int main(void)
{
	pthread_t first = 0;
	int reused = 0;

	for (intptr_t i = 0; i < 100; i++) {
		pthread_t t = start(alternate, (void *)(i & 1));

		if (!i)
			first = t;
		else
			reused += t == first;
		finish(t);
	}
	if (!reused)
		fprintf(stderr, "no pthread_t was reused\n");
	return 0;
}
