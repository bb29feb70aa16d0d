/* SPDX-License-Identifier: MIT */
/* SHOWS cancellation in every wait that is a cancellation point, deferred and pending, with clean-up handlers */
/* NEVER lock-held-at-thread-exit unlock-not-owned leaked-thread stuck-wait double-join */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t none;
static pthread_t sleeper_thread;
static int tid, go;

static void unlock(void *mutex)
{
	MUST(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

static void *in_cond_timedwait(void *arg)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 600000);

	MUST(pthread_mutex_lock(&m));
	pthread_cleanup_push(unlock, &m);
	publish_tid(&tid);
	for (;;)
		pthread_cond_timedwait(&cond, &m, &later);
	pthread_cleanup_pop(0);
	return arg;
}

static void *in_cond_clockwait(void *arg)
{
	struct timespec later = in_ms(CLOCK_MONOTONIC, 600000);

	MUST(pthread_mutex_lock(&m));
	pthread_cleanup_push(unlock, &m);
	publish_tid(&tid);
	for (;;)
		pthread_cond_clockwait(&cond, &m, CLOCK_MONOTONIC, &later);
	pthread_cleanup_pop(0);
	return arg;
}

static void *in_sem_wait(void *arg)
{
	publish_tid(&tid);
	sem_wait(&none);
	return arg;
}

static void *in_sem_timedwait(void *arg)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 600000);

	publish_tid(&tid);
	sem_timedwait(&none, &later);
	return arg;
}

static void *in_join(void *arg)
{
	publish_tid(&tid);
	pthread_join(sleeper_thread, NULL);
	return arg;
}

static void *sleeper(void *arg)
{
	until(&go, 1);
	return arg;
}

static void *in_nanosleep(void *arg)
{
	struct timespec long_time = { 600, 0 };

	publish_tid(&tid);
	nanosleep(&long_time, NULL);
	return arg;
}

static void *pending(void *arg)
{
	MUST(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
	publish_tid(&tid);
	until(&go, 1);
	MUST(pthread_mutex_lock(&m)); /* not a cancellation point */
	MUST(pthread_mutex_unlock(&m));
	MUST(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL));
	pthread_testcancel();
	return arg;
}

static void cancel_in(void *(*routine)(void *), int asleep)
{
	pthread_t t;
	void *result;

	tid = 0;
	t = start(routine, NULL);
	if (asleep)
		until_asleep(&tid);
	else
		while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
			sched_yield();
	MUST(pthread_cancel(t));
	step_to(&go, !asleep);
	MUST(pthread_join(t, &result));
	if (result != PTHREAD_CANCELED)
		exit(3);
}

int main(void)
{
	MUST(sem_init(&none, 0, 0));
	cancel_in(in_cond_timedwait, 1);
	cancel_in(in_cond_clockwait, 1);
	cancel_in(in_sem_wait, 1);
	cancel_in(in_sem_timedwait, 1);
	cancel_in(in_nanosleep, 1);
	sleeper_thread = start(sleeper, NULL);
	cancel_in(in_join, 1);
	step_to(&go, 1);
	finish(sleeper_thread); /* the cancelled join did not use it up */
	step_to(&go, 0);
	cancel_in(pending, 0);
	MUST(pthread_mutex_lock(&m));
	MUST(pthread_mutex_unlock(&m));
	MUST(sem_destroy(&none));
	return 0;
}
