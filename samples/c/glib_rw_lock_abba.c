/* SPDX-License-Identifier: MIT */
/* SHOWS two GRWLock taken in both orders, one of them for reading and for writing */
/* EXPECT lock-order-inversion confidence=potential level=error stacks=lookup,update threads=2 locks=index_lock,data_lock */
/* RUN */
/* BUILD runtime=libglib-2.0.so.0 */
#include "../library_locks.h"
#include "../sample.h"

static GRWLock index_lock, data_lock;
static int step;

static NOINLINE void lookup(void)
{
	g_rw_lock_reader_lock(&index_lock);
	g_rw_lock_writer_lock(&data_lock);
	g_rw_lock_writer_unlock(&data_lock);
	g_rw_lock_reader_unlock(&index_lock);
}

static NOINLINE void update(void)
{
	g_rw_lock_writer_lock(&data_lock);
	g_rw_lock_writer_lock(&index_lock);
	g_rw_lock_writer_unlock(&index_lock);
	g_rw_lock_writer_unlock(&data_lock);
}

static void *reader(void *arg)
{
	lookup();
	step_to(&step, 1);
	return arg;
}

static void *writer(void *arg)
{
	until(&step, 1);
	update();
	return arg;
}

int main(void)
{
	void *a = g_thread_new("reader", reader, NULL), *b = g_thread_new("writer", writer, NULL);

	g_thread_join(a);
	g_thread_join(b);
	return 0;
}
