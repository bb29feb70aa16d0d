/* SPDX-License-Identifier: MIT */
/* SCENARIO S20: a NORMAL mutex locked again by its owner hangs for ever */
/* EXPECT self-deadlock confidence=observed level=error stacks=update,refresh threads=1 threadnames=cache locks=cache_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static int entries;

static NOINLINE void refresh(void)
{
	pthread_mutex_lock(&cache_lock);
	entries++;
	pthread_mutex_unlock(&cache_lock);
}

static NOINLINE void update(void)
{
	pthread_mutex_lock(&cache_lock);
	entries = 0;
	refresh();
	pthread_mutex_unlock(&cache_lock);
}

static void *cache(void *arg)
{
	pthread_setname_np(pthread_self(), "cache");
	update();
	return arg;
}

int main(void)
{
	finish(start(cache, NULL));
	return 0;
}
