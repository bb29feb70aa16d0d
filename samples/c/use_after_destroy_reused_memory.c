/* SPDX-License-Identifier: MIT */
/* SHOWS freed memory that a new lock gets (near-miss): destroy, free, malloc, init */
/* NEVER use-after-destroy */
/* RUN clean */
#include "../sample.h"

struct item {
	pthread_mutex_t lock;
	int value;
};

static void *worker(void *arg)
{
	for (int i = 0; i < 200; i++) {
		struct item *it = (struct item *)malloc(sizeof(*it));

		if (i % 2) {
			pthread_mutex_init(&it->lock, NULL);
		} else {
			*it = (struct item){ PTHREAD_MUTEX_INITIALIZER, 0 }; /* no call says so */
		}
		pthread_mutex_lock(&it->lock);
		it->value = i;
		pthread_mutex_unlock(&it->lock);
		pthread_mutex_destroy(&it->lock);
		free(it);
	}
	return arg;
}

int main(void)
{
	run_two(worker, worker);
	return 0;
}
