/* SPDX-License-Identifier: MIT */
/* SHOWS GLib, a near miss: callbacks that run their own loop inside, as a modal dialog does: everything else goes on */
/* BUILD needs=glib */
/* NEVER loop-stall blocking-call-in-loop leaked-handle */
/* RUN clean */
#include "loop_work.h"

#include <glib.h>

static GMainLoop *loop;
static int ticks;

static gboolean on_tick(gpointer data)
{
	(void)data;
	ticks++;
	return G_SOURCE_CONTINUE;
}

static gboolean on_answer(gpointer dialog)
{
	g_main_loop_quit(dialog);
	return G_SOURCE_REMOVE;
}

/* By a loop, and by turns of the context. */
static gboolean on_question(gpointer data)
{
	GMainLoop *dialog = g_main_loop_new(NULL, FALSE);
	int until_ticks;

	(void)data;
	g_timeout_add(400, on_answer, dialog);
	g_main_loop_run(dialog);
	g_main_loop_unref(dialog);
	until_ticks = ticks + 3;
	while (ticks < until_ticks)
		g_main_context_iteration(NULL, TRUE);
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	guint tick = g_timeout_add(150, on_tick, NULL);

	loop = g_main_loop_new(NULL, FALSE);
	g_timeout_add(10, on_question, NULL);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	g_source_remove(tick);
	puts("done");
	return 0;
}
