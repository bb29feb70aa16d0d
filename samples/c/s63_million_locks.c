/* SPDX-License-Identifier: MIT */
/* SCENARIO S63: 1,000,000 locks ever, 50,000 live at a time: nothing is lost, memory stays bounded */
/* NEVER lock-order-inversion use-after-destroy */
/* RUN clean limit=120 rss=600 once */
#include "../sample.h"

#define LIVE 50000
#define GENERATIONS 20

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;

static void *worker(void *arg)
{
	pthread_mutex_t *live = (pthread_mutex_t *)malloc(LIVE / 2 * sizeof(*live));

	for (int generation = 0; generation < GENERATIONS; generation++) {
		for (int i = 0; i < LIVE / 2; i++)
			MUST(pthread_mutex_init(&live[i], NULL));
		for (int i = 0; i < LIVE / 2; i++) {
			if (i % 16 == 0)
				pthread_mutex_lock(&outer);
			pthread_mutex_lock(&live[i]);
			pthread_mutex_unlock(&live[i]);
			if (i % 16 == 0)
				pthread_mutex_unlock(&outer);
		}
		for (int i = 0; i < LIVE / 2; i++)
			MUST(pthread_mutex_destroy(&live[i]));
	}
	free(live);
	return arg;
}

int main(void)
{
	run_two(worker, worker);
	return 0;
}
