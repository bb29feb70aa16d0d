/* SPDX-License-Identifier: MIT */
/* SHOWS GLib: pools that are fed as fast as they can work, freed after all; one is told to drop what is left, and how */
/* BUILD needs=glib */
/* NEVER unbounded-tasks leaked-task loop-stall */
/* ALLOW leaked-thread */
/* RUN clean */
#include "loop_work.h"

#include <glib.h>

enum { ITEMS = 2000, MOST = 50 };

static int done, dropped, go;

static void work(gpointer item, gpointer data)
{
	__atomic_add_fetch((int *)data, GPOINTER_TO_INT(item), __ATOMIC_SEQ_CST);
}

static void wait_for_go(gpointer item, gpointer data)
{
	(void)item;
	(void)data;
	until(&go, 1);
}

static void drop(gpointer item)
{
	(void)item;
	dropped++;
}

int main(void)
{
	GThreadPool *pool = g_thread_pool_new(work, &done, 2, FALSE, NULL);
	GThreadPool *other = g_thread_pool_new(work, &done, 1, TRUE, NULL);
	GThreadPool *stopped = g_thread_pool_new_full(wait_for_go, NULL, drop, 1, FALSE, NULL);

	for (int i = 0; i < ITEMS; i++) { /* the same item, in both */
		while (g_thread_pool_unprocessed(pool) > MOST ||
		       g_thread_pool_unprocessed(other) > MOST)
			sched_yield();
		g_thread_pool_push(pool, GINT_TO_POINTER(1), NULL);
		g_thread_pool_push(other, GINT_TO_POINTER(1), NULL);
	}
	g_thread_pool_free(other, FALSE, TRUE);
	g_thread_pool_free(pool, FALSE, TRUE);
	for (int i = 0; i < 5; i++)
		g_thread_pool_push(stopped, GINT_TO_POINTER(i + 1), NULL);
	step_to(&go, 1);
	g_thread_pool_free(stopped, TRUE, TRUE);
	printf("%d %d\n", done, dropped <= 5);
	return 0;
}
