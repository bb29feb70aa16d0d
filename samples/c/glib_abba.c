/* SPDX-License-Identifier: MIT */
/* SHOWS two GMutex taken in both orders by two threads */
/* EXPECT lock-order-inversion confidence=potential level=error stacks=to_disk,to_cache threads=2 locks=cache_lock,disk_lock */
/* RUN */
/* BUILD runtime=libglib-2.0.so.0 */
#include "../library_locks.h"
#include "../sample.h"

static GMutex cache_lock, disk_lock;
static int step;

static NOINLINE void to_disk(void)
{
	g_mutex_lock(&cache_lock);
	g_mutex_lock(&disk_lock);
	g_mutex_unlock(&disk_lock);
	g_mutex_unlock(&cache_lock);
}

static NOINLINE void to_cache(void)
{
	g_mutex_lock(&disk_lock);
	g_mutex_lock(&cache_lock);
	g_mutex_unlock(&cache_lock);
	g_mutex_unlock(&disk_lock);
}

static void *writer(void *arg)
{
	to_disk();
	step_to(&step, 1);
	return arg;
}

static void *reader(void *arg)
{
	until(&step, 1);
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
