/* SPDX-License-Identifier: MIT */
/* SHOWS the tutorial idiom: joinable threads, main ends by pthread_exit and nobody joins */
/* ALLOW leaked-thread level=note..warning */
/* NEVER stuck-wait deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *hello(void *arg)
{
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	for (int i = 0; i < 3; i++)
		start(hello, NULL);
	pthread_exit(NULL);
}
