/* SPDX-License-Identifier: MIT */
/* SCENARIO S52: a thread returns while it holds L */
/* EXPECT lock-held-at-thread-exit confidence=observed level=error stacks=forgetful threads=1 threadnames=forgetful locks=l */
/* RUN */
#include "../sample.h"

static pthread_mutex_t l = PTHREAD_MUTEX_INITIALIZER;

static void *forgetful(void *arg)
{
	pthread_setname_np(pthread_self(), "forgetful");
	pthread_mutex_lock(&l);
	if (arg)
		return arg; /* the early return */
	pthread_mutex_unlock(&l);
	return NULL;
}

int main(void)
{
	finish(start(forgetful, &l));
	return 0;
}
