/* SPDX-License-Identifier: MIT */
/* SHOWS Locks of one class in orders that addresses do not show: philosophers that take turns, a list that was built at random, trees, ages */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#define SEATS 6
#define NODES 64

static pthread_mutex_t forks[SEATS];
static pthread_barrier_t ready;

struct node {
	pthread_mutex_t lock;
	struct node *next, *child[2];
};

static struct node *list, *tree;
static struct node pool[NODES];
static pthread_mutex_t by_age[4];

static NOINLINE void eat(pthread_mutex_t *first, pthread_mutex_t *second)
{
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
}

/* Even ones take the left fork first, odd ones the right one. */
static void *philosopher(void *arg)
{
	int seat = (int)(intptr_t)arg, left = seat, right = (seat + 1) % SEATS;

	pthread_barrier_wait(&ready);
	eat(&forks[seat % 2 ? right : left], &forks[seat % 2 ? left : right]);
	return NULL;
}

static void *list_walker(void *arg)
{
	struct node *at = list;

	pthread_mutex_lock(&at->lock);
	while (at->next) {
		struct node *next = at->next;

		pthread_mutex_lock(&next->lock);
		pthread_mutex_unlock(&at->lock);
		at = next;
	}
	pthread_mutex_unlock(&at->lock);
	return arg;
}

static NOINLINE void touch_child(struct node *parent, struct node *child)
{
	pthread_mutex_lock(&parent->lock);
	pthread_mutex_lock(&child->lock);
	pthread_mutex_unlock(&child->lock);
	pthread_mutex_unlock(&parent->lock);
}

static void *tree_walker(void *arg)
{
	struct node *level[NODES] = { tree };
	int count = 1;

	for (int i = 0; i < count; i++)
		for (int k = 0; k < 2; k++)
			if (level[i]->child[k]) {
				touch_child(level[i], level[i]->child[k]);
				level[count++] = level[i]->child[k];
			}
	return arg;
}

/* The older one first, wherever it lies. */
static NOINLINE void older_first(int older, int younger)
{
	pthread_mutex_lock(&by_age[older]);
	pthread_mutex_lock(&by_age[younger]);
	pthread_mutex_unlock(&by_age[younger]);
	pthread_mutex_unlock(&by_age[older]);
}

static void *heir(void *arg)
{
	if (arg)
		older_first(3, 0); /* made in the order 3, 0, 2, 1 */
	else
		older_first(2, 1);
	return NULL;
}

/* A list of the first half and a tree of the second, both in an order that has nothing to do with the addresses. */
static void build(void)
{
	struct node *shuffled[NODES];

	for (unsigned i = 0; i < NODES; i++) {
		MUST(pthread_mutex_init(&pool[i].lock, NULL));
		shuffled[i] = &pool[i < NODES / 2 ? i * 5 % (NODES / 2)
						  : NODES / 2 + i * 11 % (NODES / 2)];
	}
	list = shuffled[0];
	for (unsigned i = 0; i + 1 < NODES / 2; i++)
		shuffled[i]->next = shuffled[i + 1];
	tree = shuffled[NODES / 2];
	for (unsigned i = 0; i < NODES / 2; i++)
		for (unsigned k = 0; k < 2; k++)
			if (2 * i + 1 + k < NODES / 2)
				shuffled[NODES / 2 + i]->child[k] =
					shuffled[NODES / 2 + 2 * i + 1 + k];
}

int main(void)
{
	static const int birth[] = { 3, 0, 2, 1 };
	pthread_t seat[SEATS], other[6];

	MUST(pthread_barrier_init(&ready, NULL, SEATS));
	for (int i = 0; i < SEATS; i++)
		MUST(pthread_mutex_init(&forks[i], NULL));
	for (int i = 0; i < 4; i++)
		MUST(pthread_mutex_init(&by_age[birth[i]], NULL));
	build();
	for (int i = 0; i < SEATS; i++)
		seat[i] = start(philosopher, (void *)(intptr_t)i);
	for (int i = 0; i < 2; i++) {
		other[3 * i] = start(list_walker, NULL);
		other[3 * i + 1] = start(tree_walker, NULL);
		other[3 * i + 2] = start(heir, i ? &ready : NULL);
	}
	for (int i = 0; i < SEATS; i++)
		finish(seat[i]);
	for (int i = 0; i < 6; i++)
		finish(other[i]);
	return 0;
}
