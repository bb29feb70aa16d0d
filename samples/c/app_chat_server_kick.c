/* SPDX-License-Identifier: MIT */
/* SHOWS a chat server where a kicked client removes itself: its lock first, then the list; broadcasts go the other way */
/* EXPECT lock-order-inversion confidence=potential stacks=broadcast,kick threads=2 locks=list_lock */
/* RUN */
#include "../sample.h"

#define CLIENTS 3

struct client {
	pthread_mutex_t lock;
	int sent, gone;
};

static struct client clients[CLIENTS];
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static int present = CLIENTS;
static int step, alive;

static NOINLINE void broadcast(void)
{
	pthread_mutex_lock(&list_lock);
	for (int i = 0; i < CLIENTS; i++) {
		pthread_mutex_lock(&clients[i].lock);
		clients[i].sent += !clients[i].gone;
		pthread_mutex_unlock(&clients[i].lock);
	}
	pthread_mutex_unlock(&list_lock);
}

static NOINLINE void kick(struct client *c)
{
	pthread_mutex_lock(&c->lock);
	if (c->sent > 0) {
		c->gone = 1;
		pthread_mutex_lock(&list_lock);
		present--;
		pthread_mutex_unlock(&list_lock);
	}
	pthread_mutex_unlock(&c->lock);
}

static void *speaker(void *arg)
{
	meet(&alive, 2);
	broadcast();
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *moderator(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	kick(&clients[1]);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	for (int i = 0; i < CLIENTS; i++)
		MUST(pthread_mutex_init(&clients[i].lock, NULL));
	run_two(speaker, moderator);
	printf("%d\n", present);
	return 0;
}
