/* SPDX-License-Identifier: MIT */
/* SCENARIO S81: EBUSY, ETIMEDOUT, EINVAL and EAGAIN mean: not acquired. No phantom hold, no phantom edge */
/* NEVER lock-order-inversion lock-held-at-thread-exit unlock-not-owned deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t busy_rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t busy_spin;
static sem_t none;
static int step;

static void *holder(void *arg)
{
	pthread_mutex_lock(&busy);
	pthread_rwlock_wrlock(&busy_rw);
	pthread_spin_lock(&busy_spin);
	step_to(&step, 1);
	until(&step, 2);
	pthread_spin_unlock(&busy_spin);
	pthread_rwlock_unlock(&busy_rw);
	pthread_mutex_unlock(&busy);
	step_to(&step, 3);
	until(&step, 4);
	pthread_mutex_lock(&other); /* the opposite of what would be held after the failures */
	pthread_mutex_lock(&busy);
	pthread_rwlock_wrlock(&busy_rw);
	pthread_rwlock_unlock(&busy_rw);
	pthread_mutex_unlock(&busy);
	pthread_mutex_unlock(&other);
	return arg;
}

static void *failing(void *arg)
{
	struct timespec past = { 1, 0 }, bad = { 1, -1 };

	until(&step, 1);
	GIVES(EBUSY, pthread_mutex_trylock(&busy));
	GIVES(ETIMEDOUT, pthread_mutex_timedlock(&busy, &past));
	GIVES(EINVAL, pthread_mutex_timedlock(&busy, &bad));
	GIVES(ETIMEDOUT, pthread_mutex_clocklock(&busy, CLOCK_MONOTONIC, &past));
	GIVES(EBUSY, pthread_rwlock_tryrdlock(&busy_rw));
	GIVES(EBUSY, pthread_rwlock_trywrlock(&busy_rw));
	GIVES(ETIMEDOUT, pthread_rwlock_timedrdlock(&busy_rw, &past));
	GIVES(ETIMEDOUT, pthread_rwlock_timedwrlock(&busy_rw, &past));
	GIVES(EBUSY, pthread_spin_trylock(&busy_spin));
	GIVES(-1, sem_trywait(&none));
	GIVES(EAGAIN, errno);
	GIVES(-1, sem_timedwait(&none, &past));
	GIVES(ETIMEDOUT, errno);
	pthread_mutex_lock(&other); /* nothing is held here */
	pthread_mutex_unlock(&other);
	step_to(&step, 2);
	until(&step, 3);
	step_to(&step, 4);
	return arg;
}

int main(void)
{
	MUST(pthread_spin_init(&busy_spin, 0));
	MUST(sem_init(&none, 0, 0));
	run_two(holder, failing);
	MUST(sem_destroy(&none));
	return 0;
}
