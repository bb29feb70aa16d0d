/* SPDX-License-Identifier: MIT */
/* SCENARIO S64c: detached in every way: by attribute, by itself, by its creator while it ends */
/* NEVER leaked-thread double-join */
/* RUN clean */
#include "../sample.h"

#define ROUNDS 50

static void *quick(void *arg)
{
	return arg;
}

static void *detaches_itself(void *arg)
{
	MUST(pthread_detach(pthread_self()));
	return arg;
}

int main(void)
{
	pthread_attr_t detached;

	MUST(pthread_attr_init(&detached));
	MUST(pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED));
	for (int i = 0; i < ROUNDS; i++) {
		pthread_t t;

		MUST(pthread_create(&t, &detached, quick, NULL));
		MUST(pthread_create(&t, NULL, detaches_itself, NULL));
		MUST(pthread_create(&t, NULL, quick, NULL));
		MUST(pthread_detach(t)); /* may already be over */
	}
	MUST(pthread_attr_destroy(&detached));
	until_alone();
	return 0;
}
