/* SPDX-License-Identifier: MIT */
/* SCENARIO I3: C11 threads used correctly: all mutex types, try and timed locks, condvars, call_once, tss destructors, detach, thrd_exit */
/* RUN clean */
#include "../sample.h"

#include <threads.h>

static mtx_t plain, recursive, timed, timed_recursive;
static cnd_t changed;
static once_flag once = ONCE_FLAG_INIT;
static tss_t key;
static int initialised, ready, destroyed, value;

static void initialise(void)
{
	initialised++;
}

static void destructor(void *p)
{
	mtx_lock(&plain);
	destroyed += *(int *)p;
	mtx_unlock(&plain);
}

static int worker(void *arg)
{
	static int one = 1;
	struct timespec later;

	(void)arg;
	call_once(&once, initialise);
	tss_set(key, &one);
	for (int i = 0; i < 50; i++) {
		mtx_lock(&recursive);
		mtx_lock(&recursive);
		value++;
		mtx_unlock(&recursive);
		mtx_unlock(&recursive);
		if (mtx_trylock(&plain) == thrd_success)
			mtx_unlock(&plain);
		later = in_ms(CLOCK_REALTIME, 60000);
		if (mtx_timedlock(&timed, &later) == thrd_success)
			mtx_unlock(&timed);
		if (mtx_timedlock(&timed_recursive, &later) == thrd_success)
			mtx_unlock(&timed_recursive);
		thrd_yield();
	}
	mtx_lock(&plain);
	while (!ready)
		cnd_wait(&changed, &plain);
	mtx_unlock(&plain);
	thrd_exit(3);
}

static int waits_a_moment(void *arg)
{
	struct timespec soon = in_ms(CLOCK_REALTIME, 2);

	(void)arg;
	mtx_lock(&plain);
	while (!ready && cnd_timedwait(&changed, &plain, &soon) != thrd_timedout)
		;
	mtx_unlock(&plain);
	return 0;
}

static int quick(void *arg)
{
	(void)arg;
	return 0;
}

int main(void)
{
	thrd_t t[4], d;
	int result;

	mtx_init(&plain, mtx_plain);
	mtx_init(&recursive, mtx_plain | mtx_recursive);
	mtx_init(&timed, mtx_timed);
	mtx_init(&timed_recursive, mtx_timed | mtx_recursive);
	cnd_init(&changed);
	tss_create(&key, destructor);
	MUST(thrd_create(&d, quick, NULL));
	MUST(thrd_detach(d));
	for (int i = 0; i < 3; i++)
		MUST(thrd_create(&t[i], worker, NULL));
	MUST(thrd_create(&t[3], waits_a_moment, NULL));
	MUST(thrd_join(t[3], NULL));
	mtx_lock(&plain);
	ready = 1;
	cnd_signal(&changed);
	cnd_broadcast(&changed);
	mtx_unlock(&plain);
	for (int i = 0; i < 3; i++) {
		MUST(thrd_join(t[i], &result));
		if (result != 3)
			return 3;
	}
	until_alone();
	printf("%d %d %d\n", initialised, destroyed, value);
	tss_delete(key);
	cnd_destroy(&changed);
	mtx_destroy(&plain);
	mtx_destroy(&recursive);
	mtx_destroy(&timed);
	mtx_destroy(&timed_recursive);
	return 0;
}
