/* SPDX-License-Identifier: MIT */
/* SHOWS GIO: GTasks that end in every way there is: result, error, cancelled, on a thread, at once; and those without an asker */
/* BUILD needs=glib */
/* NEVER leaked-task leaked-handle loop-stall unbounded-tasks */
/* ALLOW leaked-thread */
/* RUN clean */
#include "loop_work.h"

#include <gio/gio.h>

static GMainLoop *loop;
static int answers;

static void on_result(GObject *object, GAsyncResult *result, gpointer data)
{
	GError *error = NULL;

	(void)object;
	(void)data;
	g_task_propagate_pointer(G_TASK(result), &error);
	g_clear_error(&error);
	answers++;
}

static void in_thread(GTask *task, gpointer object, gpointer data, GCancellable *cancellable)
{
	(void)object;
	(void)data;
	if (!g_task_return_error_if_cancelled(task) && cancellable)
		g_task_return_pointer(task, NULL, NULL);
}

static void end(GTask *task, int how)
{
	switch (how % 6) {
	case 0:
		g_task_return_pointer(task, g_strdup("answer"), g_free);
		break;
	case 1:
		g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_FAILED, "%d %s", how, "times");
		break;
	case 2:
		g_task_return_error(task, g_error_new_literal(G_IO_ERROR, G_IO_ERROR_BUSY, "busy"));
		break;
	case 3:
		g_cancellable_cancel(g_task_get_cancellable(task));
		g_task_return_error_if_cancelled(task);
		break;
	case 4:
		g_task_run_in_thread(task, in_thread);
		break;
	case 5:
		g_task_run_in_thread_sync(task, in_thread);
		break;
	}
}

static gboolean on_request(gpointer number)
{
	GCancellable *cancellable = g_cancellable_new();
	GTask *task = g_task_new(NULL, cancellable, on_result, NULL);
	GTask *nobodys = g_task_new(NULL, NULL, NULL, NULL);

	end(task, GPOINTER_TO_INT(number));
	g_object_unref(nobodys);
	g_object_unref(task);
	g_object_unref(cancellable);
	return G_SOURCE_REMOVE;
}

static gboolean on_end(gpointer data)
{
	(void)data;
	if (answers < 20 - 20 / 6) /* the synchronous ones tell nobody */
		return G_SOURCE_CONTINUE;
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	loop = g_main_loop_new(NULL, FALSE);
	for (int i = 0; i < 20; i++)
		g_idle_add(on_request, GINT_TO_POINTER(i));
	g_timeout_add(5, on_end, NULL);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	printf("%d\n", answers);
	return 0;
}
