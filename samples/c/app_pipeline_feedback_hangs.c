/* SPDX-License-Identifier: MIT */
/* SHOWS two stages that each put into the other's full queue: both wait for room that only the other can make */
/* EXPECT stuck-wait confidence=observed stacks=put,forward,backward threads=2..3 roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#define ROOM 2

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	int count;
};

static struct queue to_left = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
				PTHREAD_COND_INITIALIZER, 0 };
static struct queue to_right = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
				 PTHREAD_COND_INITIALIZER, 0 };

static NOINLINE void put(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	while (q->count == ROOM)
		pthread_cond_wait(&q->drained, &q->lock);
	q->count++;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

static NOINLINE void get(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	while (!q->count)
		pthread_cond_wait(&q->filled, &q->lock);
	q->count--;
	pthread_cond_signal(&q->drained);
	pthread_mutex_unlock(&q->lock);
}

static void *forward(void *arg)
{
	for (int i = 0; i < 10; i++) {
		for (int reply = 0; reply < 3; reply++)
			put(&to_right);
		get(&to_left);
	}
	return arg;
}

static void *backward(void *arg)
{
	for (int i = 0; i < 10; i++) {
		for (int reply = 0; reply < 3; reply++)
			put(&to_left);
		get(&to_right);
	}
	return arg;
}

int main(void)
{
	run_two(forward, backward);
	return 0;
}
