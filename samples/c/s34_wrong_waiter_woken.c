/* SPDX-License-Identifier: MIT */
/* SCENARIO S34: two predicates share one condvar; the one signal wakes the wrong waiter; all stuck */
/* EXPECT stuck-wait confidence=observed stacks=wait_not_empty,wait_not_full,add_item threads=2..4 roles=waits,signals locks=changed */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int items, full = 1;
static int tid_full, tid_empty;

static NOINLINE void wait_not_full(void)
{
	pthread_mutex_lock(&m);
	publish_tid(&tid_full);
	while (full)
		pthread_cond_wait(&changed, &m);
	pthread_mutex_unlock(&m);
}

static NOINLINE void wait_not_empty(void)
{
	pthread_mutex_lock(&m);
	publish_tid(&tid_empty);
	while (!items)
		pthread_cond_wait(&changed, &m);
	pthread_mutex_unlock(&m);
}

static NOINLINE void add_item(void)
{
	pthread_mutex_lock(&m);
	items++;
	pthread_cond_signal(&changed); /* the bug: wakes whoever waits longest */
	pthread_mutex_unlock(&m);
}

static void *writer(void *arg)
{
	wait_not_full();
	return arg;
}

static void *reader(void *arg)
{
	until_asleep(&tid_full);
	wait_not_empty();
	return arg;
}

static void *producer(void *arg)
{
	until_asleep(&tid_empty);
	add_item();
	return arg;
}

int main(void)
{
	pthread_t t[3] = { start(writer, NULL), start(reader, NULL), start(producer, NULL) };

	for (int i = 2; i >= 0; i--)
		finish(t[i]);
	return 0;
}
