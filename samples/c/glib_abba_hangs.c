/* SPDX-License-Identifier: MIT */
/* SHOWS two GMutex taken crosswise, and both threads hang: GLib waits on a futex inside, we say on which lock */
/* EXPECT deadlock confidence=observed level=error stacks=to_disk,to_cache threads=2 locks=cache_lock,disk_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
/* BUILD runtime=libglib-2.0.so.0 */
#include "../library_locks.h"
#include "../sample.h"

static GMutex cache_lock, disk_lock;
static int holding;

static NOINLINE void to_disk(void)
{
	g_mutex_lock(&cache_lock);
	meet(&holding, 2);
	g_mutex_lock(&disk_lock);
}

static NOINLINE void to_cache(void)
{
	g_mutex_lock(&disk_lock);
	meet(&holding, 2);
	g_mutex_lock(&cache_lock);
}

static void *writer(void *arg)
{
	to_disk();
	return arg;
}

static void *reader(void *arg)
{
	to_cache();
	return arg;
}

int main(void)
{
	void *a = g_thread_new("writer", writer, NULL), *b = g_thread_new("reader", reader, NULL);

	g_thread_join(a);
	g_thread_join(b);
	return 0;
}
