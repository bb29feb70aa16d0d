/* SPDX-License-Identifier: MIT */
/* SHOWS an error path that returns from the thread without unlocking: the next one waits for a lock nobody can free */
/* EXPECT lock-held-at-thread-exit confidence=observed stacks=first_user locks=l */
/* EXPECT stuck-wait confidence=observed stacks=second_user locks=l */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t l = PTHREAD_MUTEX_INITIALIZER;

static void *first_user(void *arg)
{
	pthread_mutex_lock(&l);
	if (!arg)
		return NULL; /* the bug */
	pthread_mutex_unlock(&l);
	return arg;
}

static void *second_user(void *arg)
{
	pthread_mutex_lock(&l);
	pthread_mutex_unlock(&l);
	return arg;
}

int main(void)
{
	finish(start(first_user, NULL));
	finish(start(second_user, NULL));
	return 0;
}
