/* SPDX-License-Identifier: MIT */
/* SHOWS an rwlock, a condition variable and a semaphore used after their destroy */
/* EXPECT use-after-destroy confidence=observed count=3..4 stacks=main */
/* ALLOW lock-held-at-exit */
/* RUN */
#include "../sample.h"

static pthread_rwlock_t rw;
static pthread_cond_t cond;
static sem_t sem;

int main(void)
{
	pthread_rwlock_init(&rw, NULL);
	pthread_rwlock_rdlock(&rw);
	pthread_rwlock_unlock(&rw);
	pthread_rwlock_destroy(&rw);
	pthread_rwlock_rdlock(&rw);
	pthread_rwlock_unlock(&rw);

	pthread_cond_init(&cond, NULL);
	pthread_cond_signal(&cond);
	pthread_cond_destroy(&cond);
	pthread_cond_signal(&cond);

	sem_init(&sem, 0, 1);
	sem_wait(&sem);
	sem_destroy(&sem);
	sem_post(&sem);
	return 0;
}
