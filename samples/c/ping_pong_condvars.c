/* SPDX-License-Identifier: MIT */
/* SHOWS strict alternation of three threads by one condvar and a turn, ten thousand times */
/* NEVER stuck-wait deadlock lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#define THREADS 3
#define ROUNDS 3000

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;

static void *player(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&m);
		while (turn != me)
			pthread_cond_wait(&turned, &m);
		turn = (turn + 1) % THREADS;
		pthread_cond_broadcast(&turned);
		pthread_mutex_unlock(&m);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		t[i] = start(player, (void *)i);
	for (int i = 0; i < THREADS; i++)
		finish(t[i]);
	return 0;
}
