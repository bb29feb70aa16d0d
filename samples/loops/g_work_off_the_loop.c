/* SPDX-License-Identifier: MIT */
/* SHOWS GLib: the same 300 ms as in g_stall_each_cause, but on other threads: GTask, GThreadPool, and posted back */
/* BUILD needs=glib */
/* NEVER loop-stall blocking-call-in-loop leaked-task leaked-handle */
/* ALLOW leaked-thread */
/* RUN clean */
#include "loop_work.h"

#include <gio/gio.h>

static GMainLoop *loop;
static GThreadPool *pool;
static int left = 4, ticks;

static gboolean done(gpointer data)
{
	(void)data;
	if (--left == 0)
		g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static gboolean on_tick(gpointer data)
{
	(void)data;
	ticks++;
	return G_SOURCE_CONTINUE;
}

static void in_thread(GTask *task, gpointer object, gpointer data, GCancellable *cancellable)
{
	(void)object;
	(void)cancellable;
	if (data)
		compute_ms(300);
	else
		sleep_ms(300);
	g_task_return_boolean(task, TRUE);
}

static void on_result(GObject *object, GAsyncResult *result, gpointer data)
{
	(void)object;
	if (g_task_propagate_boolean(G_TASK(result), NULL))
		done(data);
}

/* What it is asked for is posted to the loop. */
static void work(gpointer item, gpointer data)
{
	(void)data;
	sleep_ms(300);
	if (item == &left)
		g_idle_add(done, NULL);
	else
		g_main_context_invoke(NULL, done, NULL);
}

static void ask(gpointer data)
{
	GTask *task = g_task_new(NULL, NULL, on_result, NULL);

	g_task_set_task_data(task, data, NULL);
	g_task_run_in_thread(task, in_thread);
	g_object_unref(task);
}

static gboolean on_start(gpointer data)
{
	ask(data);
	ask(NULL);
	g_thread_pool_push(pool, &left, NULL);
	g_thread_pool_push(pool, &ticks, NULL);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	guint tick = g_timeout_add(20, on_tick, NULL);

	loop = g_main_loop_new(NULL, FALSE);
	pool = g_thread_pool_new(work, NULL, 2, FALSE, NULL);
	g_timeout_add(1, on_start, &left);
	g_main_loop_run(loop);
	g_source_remove(tick);
	g_thread_pool_free(pool, FALSE, TRUE);
	g_main_loop_unref(loop);
	puts(ticks ? "done" : "no turn");
	return 0;
}
