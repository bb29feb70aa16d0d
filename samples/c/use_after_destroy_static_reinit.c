/* SPDX-License-Identifier: MIT */
/* SHOWS a destroyed static mutex brought back by assigning the static initialiser */
/* NEVER use-after-destroy */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *use(void *arg)
{
	MUST(pthread_mutex_lock(&m));
	MUST(pthread_mutex_unlock(&m));
	return arg;
}

int main(void)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

	for (int i = 0; i < 3; i++) {
		run_two(use, use);
		MUST(pthread_mutex_destroy(&m));
		memcpy(&m, &fresh, sizeof(m));
	}
	return 0;
}
