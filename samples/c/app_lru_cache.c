/* SPDX-License-Identifier: MIT */
/* SHOWS a correct cache: map lock outside, list lock inside; eviction goes the other way round by trylock only */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

#define SLOTS 64

static pthread_rwlock_t map_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static int present[SLOTS], used_at[SLOTS], now, loads, evictions;

static void touch(int key)
{
	pthread_mutex_lock(&list_lock);
	used_at[key] = ++now;
	pthread_mutex_unlock(&list_lock);
}

static void get(int key)
{
	int hit;

	pthread_rwlock_rdlock(&map_lock);
	hit = present[key];
	if (hit)
		touch(key);
	pthread_rwlock_unlock(&map_lock);
	if (hit)
		return;
	pthread_rwlock_wrlock(&map_lock);
	if (!present[key]) {
		present[key] = 1;
		loads++;
	}
	touch(key);
	pthread_rwlock_unlock(&map_lock);
}

static void evict(void)
{
	pthread_mutex_lock(&list_lock);
	if (pthread_rwlock_trywrlock(&map_lock) == 0) {
		int oldest = 0;

		for (int i = 1; i < SLOTS; i++)
			if (present[i] && used_at[i] < used_at[oldest])
				oldest = i;
		evictions += present[oldest];
		present[oldest] = 0;
		pthread_rwlock_unlock(&map_lock);
	}
	pthread_mutex_unlock(&list_lock);
}

static void *reader(void *arg)
{
	unsigned seed = (unsigned)(intptr_t)arg;

	for (int i = 0; i < 1000; i++) {
		get((int)((seed = seed * 1664525u + 1013904223u) >> 8) % SLOTS);
		if (i % 50 == 0)
			evict();
	}
	return NULL;
}

int main(void)
{
	pthread_t t[4];

	for (intptr_t i = 0; i < 4; i++)
		t[i] = start(reader, (void *)i);
	for (int i = 0; i < 4; i++)
		finish(t[i]);
	return loads > 0 ? 0 : 3;
}
