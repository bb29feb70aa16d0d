/* SPDX-License-Identifier: MIT */
/* SCENARIO S66: a thread is joined twice */
/* EXPECT double-join level=error stacks=join_again threads=1..2 */
/* RUN */
#include "../sample.h"

static void *quick(void *arg)
{
	return arg;
}

static NOINLINE void join_again(pthread_t t)
{
	pthread_join(t, NULL); /* glibc keeps the block for a while and says ESRCH */
}

int main(void)
{
	pthread_t t = start(quick, NULL);

	finish(t);
	join_again(t);
	return 0;
}
