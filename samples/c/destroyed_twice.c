/* SPDX-License-Identifier: MIT */
/* SHOWS objects destroyed twice */
/* EXPECT use-after-destroy confidence=observed count=1..2 stacks=main */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m;
static pthread_rwlock_t rw;

int main(void)
{
	pthread_mutex_init(&m, NULL);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	pthread_mutex_destroy(&m);
	pthread_mutex_destroy(&m);

	pthread_rwlock_init(&rw, NULL);
	pthread_rwlock_rdlock(&rw);
	pthread_rwlock_unlock(&rw);
	pthread_rwlock_destroy(&rw);
	pthread_rwlock_destroy(&rw);
	return 0;
}
