/* SPDX-License-Identifier: MIT */
/* SHOWS every object destroyed when idle and initialised again, many times */
/* NEVER destroy-locked use-after-destroy barrier-misuse */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m;
static pthread_rwlock_t rw;
static pthread_cond_t cond;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static sem_t sem;

static void *use(void *arg)
{
	pthread_mutex_lock(&m);
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&m);
	pthread_rwlock_wrlock(&rw);
	pthread_rwlock_unlock(&rw);
	pthread_spin_lock(&spin);
	pthread_spin_unlock(&spin);
	sem_post(&sem);
	sem_wait(&sem);
	pthread_barrier_wait(&barrier);
	return arg;
}

int main(void)
{
	for (int i = 0; i < 20; i++) {
		MUST(pthread_mutex_init(&m, NULL));
		MUST(pthread_rwlock_init(&rw, NULL));
		MUST(pthread_cond_init(&cond, NULL));
		MUST(pthread_spin_init(&spin, 0));
		MUST(pthread_barrier_init(&barrier, NULL, 2));
		MUST(sem_init(&sem, 0, 0));
		run_two(use, use);
		MUST(pthread_mutex_destroy(&m));
		MUST(pthread_rwlock_destroy(&rw));
		MUST(pthread_cond_destroy(&cond));
		MUST(pthread_spin_destroy(&spin));
		MUST(pthread_barrier_destroy(&barrier));
		MUST(sem_destroy(&sem));
	}
	return 0;
}
