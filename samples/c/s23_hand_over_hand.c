/* SPDX-License-Identifier: MIT */
/* SCENARIO S23: hand-over-hand list walks by four threads, all in one direction */
/* NEVER lock-order-inversion unlock-not-owned */
/* RUN clean */
#include "../sample.h"

#define NODES 50
#define WORKERS 4

struct node {
	pthread_mutex_t lock;
	struct node *next;
	long visits;
};

static struct node *head;

static NOINLINE void walk(void)
{
	struct node *here = head;

	pthread_mutex_lock(&here->lock);
	while (here) {
		struct node *next = here->next;

		here->visits++;
		if (next)
			pthread_mutex_lock(&next->lock);
		pthread_mutex_unlock(&here->lock);
		here = next;
	}
}

static void *walker(void *arg)
{
	for (int i = 0; i < 50; i++)
		walk();
	return arg;
}

int main(void)
{
	pthread_t t[WORKERS];

	for (int i = 0; i < NODES; i++) {
		struct node *n = (struct node *)calloc(1, sizeof(*n));

		MUST(pthread_mutex_init(&n->lock, NULL));
		n->next = head;
		head = n;
	}
	for (int i = 0; i < WORKERS; i++)
		t[i] = start(walker, NULL);
	for (int i = 0; i < WORKERS; i++)
		finish(t[i]);
	printf("%ld\n", head->visits);
	while (head) {
		struct node *n = head;

		head = n->next;
		MUST(pthread_mutex_destroy(&n->lock));
		free(n);
	}
	return 0;
}
