/* SPDX-License-Identifier: MIT */
/* SHOWS the sleeping barber: semaphores as signals between customers and the barber, a mutex around the chairs */
/* NEVER stuck-wait deadlock lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#define CHAIRS 3
#define CUSTOMERS 40

static sem_t customers, barber_ready, cut_done;
static pthread_mutex_t chairs = PTHREAD_MUTEX_INITIALIZER;
static int waiting, served, turned_away, closing;

static void *barber(void *arg)
{
	for (;;) {
		sem_wait(&customers);
		pthread_mutex_lock(&chairs);
		if (closing && !waiting) {
			pthread_mutex_unlock(&chairs);
			return arg;
		}
		waiting--;
		served++;
		sem_post(&barber_ready);
		pthread_mutex_unlock(&chairs);
		sem_post(&cut_done);
	}
}

static void *customer(void *arg)
{
	pthread_mutex_lock(&chairs);
	if (waiting == CHAIRS) {
		turned_away++;
		pthread_mutex_unlock(&chairs);
		return arg;
	}
	waiting++;
	sem_post(&customers);
	pthread_mutex_unlock(&chairs);
	sem_wait(&barber_ready);
	sem_wait(&cut_done);
	return arg;
}

int main(void)
{
	pthread_t b, c[CUSTOMERS];

	MUST(sem_init(&customers, 0, 0));
	MUST(sem_init(&barber_ready, 0, 0));
	MUST(sem_init(&cut_done, 0, 0));
	b = start(barber, NULL);
	for (int i = 0; i < CUSTOMERS; i++)
		c[i] = start(customer, NULL);
	for (int i = 0; i < CUSTOMERS; i++)
		finish(c[i]);
	pthread_mutex_lock(&chairs);
	closing = 1;
	pthread_mutex_unlock(&chairs);
	sem_post(&customers);
	finish(b);
	printf("%d\n", served + turned_away);
	return 0;
}
