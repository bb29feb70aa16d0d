/* SPDX-License-Identifier: MIT */
/* SHOWS GIO: on one of its paths a request drops its GTask without a result: whoever asked waits for ever */
/* BUILD needs=glib */
/* EXPECT leaked-task confidence=observed taskkinds=async+task stacks=request,main occurs=3 */
/* RUN clean */
#include "loop_work.h"

#include <gio/gio.h>

static GMainLoop *loop;
static int answers;

static void on_result(GObject *object, GAsyncResult *result, gpointer data)
{
	(void)object;
	(void)data;
	answers += g_task_propagate_boolean(G_TASK(result), NULL);
}

static NOINLINE void request(int number)
{
	GTask *task = g_task_new(NULL, NULL, on_result, NULL);

	if (number % 3)
		g_task_return_boolean(task, TRUE);
	g_object_unref(task);
}

static gboolean on_end(gpointer data)
{
	(void)data;
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	loop = g_main_loop_new(NULL, FALSE);
	for (int i = 0; i < 9; i++)
		request(i);
	g_timeout_add(20, on_end, NULL);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	printf("%d\n", answers);
	return 0;
}
