/* SPDX-License-Identifier: MIT */
/* SHOWS GLib's locks as they are meant: recursive, read-write, queue with a GCond, once, timed wait: nothing to say */
/* NEVER lock-order-inversion double-lock unlock-not-owned unlock-not-locked cond-wait-unlocked stuck-wait self-deadlock */
/* RUN clean */
/* BUILD runtime=libglib-2.0.so.0 */
#include "../library_locks.h"
#include "../sample.h"

static GMutex m, made;
static GRecMutex tree;
static GRWLock table;
static GCond filled, emptied;
static GOnce once;
static size_t initialised;
static int items, total, depth_reached;

static NOINLINE void walk(int depth)
{
	g_rec_mutex_lock(&tree);
	depth_reached = depth;
	if (depth < 5)
		walk(depth + 1);
	g_rec_mutex_unlock(&tree);
}

static void *make_once(void *arg)
{
	g_mutex_lock(&made);
	g_mutex_unlock(&made);
	return arg;
}

static NOINLINE void initialise(void)
{
	if (!__atomic_load_n(&initialised, __ATOMIC_ACQUIRE) && g_once_init_enter(&initialised)) {
		g_mutex_lock(&made);
		g_mutex_unlock(&made);
		g_once_init_leave(&initialised, 1);
	}
}

static void *producer(void *arg)
{
	for (int i = 0; i < 200; i++) {
		g_mutex_lock(&m);
		while (items == 4)
			g_cond_wait(&emptied, &m);
		items++;
		g_cond_signal(&filled);
		g_mutex_unlock(&m);
		g_rw_lock_reader_lock(&table);
		walk(0);
		g_rw_lock_reader_unlock(&table);
		initialise();
		g_once_impl(&once, make_once, &m);
	}
	return arg;
}

static void *consumer(void *arg)
{
	for (int i = 0; i < 200; i++) {
		g_mutex_lock(&m);
		while (items == 0)
			g_cond_wait(&filled, &m);
		items--;
		total++;
		g_cond_broadcast(&emptied);
		g_mutex_unlock(&m);
		g_rw_lock_writer_lock(&table);
		walk(0);
		g_rw_lock_writer_unlock(&table);
		if (g_mutex_trylock(&made))
			g_mutex_unlock(&made);
	}
	return arg;
}

int main(void)
{
	void *t[4];
	GMutex local;

	g_mutex_init(&local);
	g_mutex_lock(&local);
	for (int i = 0; i < 4; i++)
		t[i] = g_thread_new("worker", i % 2 ? producer : consumer, NULL);
	for (int i = 0; i < 4; i++)
		g_thread_join(t[i]);
	g_cond_wait_until(&filled, &local, g_get_monotonic_time() + 1000);
	g_mutex_unlock(&local);
	g_mutex_clear(&local);
	printf("%d %d\n", total, depth_reached);
	return 0;
}
