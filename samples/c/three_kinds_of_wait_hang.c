/* SPDX-License-Identifier: MIT */
/* SHOWS a ring through a semaphore, a mutex and another mutex: the poster is behind the lock of a third thread */
/* EXPECT deadlock confidence=observed stacks=consumer,poster,third threads=3 roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static sem_t items;
static int step, tid;

static void *consumer(void *arg)
{
	sem_wait(&items);
	pthread_mutex_lock(&a);
	step_to(&step, 1);
	publish_tid(&tid);
	sem_wait(&items);
	pthread_mutex_unlock(&a);
	return arg;
}

static void *poster(void *arg)
{
	sem_post(&items);
	until(&step, 2);
	pthread_mutex_lock(&b);
	sem_post(&items);
	pthread_mutex_unlock(&b);
	return arg;
}

static void *third(void *arg)
{
	until(&step, 1);
	until_asleep(&tid);
	pthread_mutex_lock(&b);
	step_to(&step, 2);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

int main(void)
{
	pthread_t t[3];

	MUST(sem_init(&items, 0, 0));
	t[0] = start(consumer, NULL);
	t[1] = start(poster, NULL);
	t[2] = start(third, NULL);
	for (int i = 0; i < 3; i++)
		finish(t[i]);
	return 0;
}
