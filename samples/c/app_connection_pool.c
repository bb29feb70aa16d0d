/* SPDX-License-Identifier: MIT */
/* SHOWS a correct connection pool: a counting semaphore for the slots, a mutex for the list, timed checkout */
/* NEVER stuck-wait lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

#define CONNECTIONS 3

struct connection {
	pthread_mutex_t lock;
	int queries, in_use;
};

static struct connection connections[CONNECTIONS];
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t available;

static struct connection *check_out(void)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 600000);
	struct connection *found = NULL;

	if (sem_timedwait(&available, &later) < 0)
		return NULL;
	pthread_mutex_lock(&list_lock);
	for (int i = 0; i < CONNECTIONS && !found; i++) {
		if (!connections[i].in_use) {
			found = &connections[i];
			found->in_use = 1;
		}
	}
	pthread_mutex_unlock(&list_lock);
	return found;
}

static void check_in(struct connection *c)
{
	pthread_mutex_lock(&list_lock);
	c->in_use = 0;
	pthread_mutex_unlock(&list_lock);
	sem_post(&available);
}

static void *client(void *arg)
{
	for (int i = 0; i < 60; i++) {
		struct connection *c = check_out();

		if (!c)
			exit(3);
		pthread_mutex_lock(&c->lock);
		c->queries++;
		pthread_mutex_unlock(&c->lock);
		check_in(c);
	}
	return arg;
}

int main(void)
{
	pthread_t t[6];
	int total = 0;

	for (int i = 0; i < CONNECTIONS; i++)
		MUST(pthread_mutex_init(&connections[i].lock, NULL));
	MUST(sem_init(&available, 0, CONNECTIONS));
	for (int i = 0; i < 6; i++)
		t[i] = start(client, NULL);
	for (int i = 0; i < 6; i++)
		finish(t[i]);
	for (int i = 0; i < CONNECTIONS; i++)
		total += connections[i].queries;
	printf("%d\n", total);
	return 0;
}
