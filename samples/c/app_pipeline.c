/* SPDX-License-Identifier: MIT */
/* SHOWS a correct pipeline of three stages with bounded queues and end markers */
/* NEVER stuck-wait deadlock lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#define ROOM 4
#define ITEMS 300
#define END (-1)

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	long item[ROOM];
	int head, count;
};

static struct queue queues[3];

static void put(struct queue *q, long item)
{
	pthread_mutex_lock(&q->lock);
	while (q->count == ROOM)
		pthread_cond_wait(&q->drained, &q->lock);
	q->item[(q->head + q->count++) % ROOM] = item;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

static long get(struct queue *q)
{
	long item;

	pthread_mutex_lock(&q->lock);
	while (!q->count)
		pthread_cond_wait(&q->filled, &q->lock);
	item = q->item[q->head];
	q->head = (q->head + 1) % ROOM;
	q->count--;
	pthread_cond_signal(&q->drained);
	pthread_mutex_unlock(&q->lock);
	return item;
}

static void *stage(void *arg)
{
	intptr_t number = (intptr_t)arg;
	long item;

	while ((item = get(&queues[number])) != END)
		put(&queues[number + 1], item + 1);
	put(&queues[number + 1], END);
	return NULL;
}

static void *source(void *arg)
{
	for (long i = 0; i < ITEMS; i++)
		put(&queues[0], i);
	put(&queues[0], END);
	return arg;
}

int main(void)
{
	long item, sum = 0;
	pthread_t t[3];

	for (int i = 0; i < 3; i++) {
		MUST(pthread_mutex_init(&queues[i].lock, NULL));
		MUST(pthread_cond_init(&queues[i].filled, NULL));
		MUST(pthread_cond_init(&queues[i].drained, NULL));
	}
	t[0] = start(source, NULL);
	t[1] = start(stage, (void *)0);
	t[2] = start(stage, (void *)1);
	while ((item = get(&queues[2])) != END)
		sum += item;
	for (int i = 0; i < 3; i++)
		finish(t[i]);
	printf("%ld\n", sum);
	return 0;
}
