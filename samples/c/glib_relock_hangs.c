/* SPDX-License-Identifier: MIT */
/* SHOWS a GMutex, which is not recursive, locked again by its owner */
/* EXPECT self-deadlock confidence=observed level=error stacks=update,refresh threads=1 locks=cache_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
/* BUILD runtime=libglib-2.0.so.0 */
#include "../library_locks.h"
#include "../sample.h"

static GMutex cache_lock;

static NOINLINE void refresh(void)
{
	g_mutex_lock(&cache_lock);
	g_mutex_unlock(&cache_lock);
}

static NOINLINE void update(void)
{
	g_mutex_lock(&cache_lock);
	refresh();
	g_mutex_unlock(&cache_lock);
}

int main(void)
{
	update();
	return 0;
}
