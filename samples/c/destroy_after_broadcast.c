/* SPDX-License-Identifier: MIT */
/* SHOWS the legal order (twin): broadcast under the mutex, then destroy at once; waiters may still be on their way out */
/* NEVER destroy-locked use-after-destroy stuck-wait */
/* RUN clean */
#include "../sample.h"

#define WAITERS 4

struct event {
	pthread_mutex_t m;
	pthread_cond_t cond;
	int fired, waiting;
};

static int tid[WAITERS];
static struct event *event;

static void *waiter(void *arg)
{
	pthread_mutex_lock(&event->m);
	publish_tid(&tid[(intptr_t)arg]);
	while (!event->fired)
		pthread_cond_wait(&event->cond, &event->m);
	pthread_mutex_unlock(&event->m);
	return NULL;
}

int main(void)
{
	for (int round = 0; round < 5; round++) {
		pthread_t t[WAITERS];

		event = (struct event *)calloc(1, sizeof(*event));
		pthread_mutex_init(&event->m, NULL);
		pthread_cond_init(&event->cond, NULL);
		for (intptr_t i = 0; i < WAITERS; i++) {
			tid[i] = 0;
			t[i] = start(waiter, (void *)i);
		}
		for (int i = 0; i < WAITERS; i++)
			until_asleep(&tid[i]);
		pthread_mutex_lock(&event->m);
		event->fired = 1;
		pthread_cond_broadcast(&event->cond);
		pthread_mutex_unlock(&event->m);
		MUST(pthread_cond_destroy(&event->cond)); /* allowed: all have been woken */
		for (int i = 0; i < WAITERS; i++)
			finish(t[i]);
		MUST(pthread_mutex_destroy(&event->m));
		free(event);
	}
	return 0;
}
