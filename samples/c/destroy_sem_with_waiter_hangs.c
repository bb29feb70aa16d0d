/* SPDX-License-Identifier: MIT */
/* SHOWS a semaphore destroyed while a thread waits for it */
/* EXPECT destroy-locked confidence=observed stacks=main */
/* ALLOW stuck-wait level=note..error */
/* RUN timeout=2 */
#include "../sample.h"

static sem_t sem;
static int tid;

static void *waiter(void *arg)
{
	publish_tid(&tid);
	sem_wait(&sem);
	return arg;
}

int main(void)
{
	pthread_t t;

	sem_init(&sem, 0, 0);
	t = start(waiter, NULL);
	until_asleep(&tid);
	sem_destroy(&sem);
	finish(t);
	return 0;
}
