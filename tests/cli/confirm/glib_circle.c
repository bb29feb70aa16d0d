/* SPDX-License-Identifier: MIT */
/* FEASIBLE GLib's own locks in a circle of three: mutex, recursive mutex, read-write lock, that is taken by trying once */
#include "confirm.h"

#include <glib.h>

static GMutex mutex;
static GRecMutex recursive;
static GRWLock table;

static void first(void)
{
	g_mutex_lock(&mutex);
	g_rec_mutex_lock(&recursive);
	g_rec_mutex_unlock(&recursive);
	g_mutex_unlock(&mutex);
}

static void second(void)
{
	g_rec_mutex_lock(&recursive);
	g_rw_lock_writer_lock(&table);
	g_rw_lock_writer_unlock(&table);
	g_rec_mutex_unlock(&recursive);
}

static void third(void)
{
	if (!g_rw_lock_reader_trylock(&table))
		return;
	g_mutex_lock(&mutex);
	g_mutex_unlock(&mutex);
	g_rw_lock_reader_unlock(&table);
}

static void part(long number)
{
	void (*const parts[])(void) = { first, second, third };

	parts[number]();
}

int main(void)
{
	return run_apart(part, 3);
}
