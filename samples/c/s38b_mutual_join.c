/* SPDX-License-Identifier: MIT */
/* SCENARIO S38b: two threads join each other. glibc means to say EDEADLK, but 2.36 does not notice: both hang */
/* EXPECT deadlock confidence=observed level=error stacks=first,second threads=2 */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_t thread[2];
static int ready, tid;

static void *first(void *arg)
{
	until(&ready, 1);
	publish_tid(&tid);
	pthread_join(thread[1], NULL);
	return arg;
}

static void *second(void *arg)
{
	until(&ready, 1);
	until_asleep(&tid);
	pthread_join(thread[0], NULL);
	return arg;
}

int main(void)
{
	thread[0] = start(first, NULL);
	thread[1] = start(second, NULL);
	step_to(&ready, 1);
	pthread_exit(NULL);
}
