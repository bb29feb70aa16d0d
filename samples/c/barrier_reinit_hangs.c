/* SPDX-License-Identifier: MIT */
/* SHOWS a barrier initialised again while a thread waits at it */
/* EXPECT barrier-misuse confidence=observed level=error stacks=main locks=barrier */
/* ALLOW stuck-wait|deadlock level=note..error */
/* RUN timeout=2 */
#include "../sample.h"

static pthread_barrier_t barrier;
static int tid;

static void *waiter(void *arg)
{
	publish_tid(&tid);
	pthread_barrier_wait(&barrier);
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_barrier_init(&barrier, NULL, 2);
	t = start(waiter, NULL);
	until_asleep(&tid);
	pthread_barrier_init(&barrier, NULL, 2);
	finish(t);
	return 0;
}
