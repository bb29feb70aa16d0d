/* SPDX-License-Identifier: MIT */
/* SCENARIO S38b: a thread joins itself: EDEADLK */
/* EXPECT double-join level=error stacks=join_myself threads=1 */
/* RUN */
#include "../sample.h"

static NOINLINE void join_myself(void)
{
	GIVES(EDEADLK, pthread_join(pthread_self(), NULL));
}

static void *confused(void *arg)
{
	join_myself();
	return arg;
}

int main(void)
{
	finish(start(confused, NULL));
	return 0;
}
