/* SPDX-License-Identifier: MIT */
/* SHOWS a thread per request that nobody joins: ten of them, from one place, one finding */
/* EXPECT leaked-thread level=warning created=handle_request occurs=10 */
/* RUN clean */
#include "../sample.h"

static void *request(void *arg)
{
	return arg;
}

static NOINLINE void handle_request(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, request, NULL));
}

int main(void)
{
	for (int i = 0; i < 10; i++)
		handle_request();
	until_alone();
	return 0;
}
