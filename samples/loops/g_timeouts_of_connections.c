/* SPDX-License-Identifier: MIT */
/* SHOWS GLib, a near miss: connections come in and stay, each with a timeout far away, or one that is called on and on */
/* BUILD needs=glib */
/* NEVER leaked-handle unbounded-tasks leaked-task */
/* RUN clean */
#include "loop_work.h"

#include <glib.h>

enum { FIRST = 60, REQUESTS = 300 };

static GMainLoop *loop;
static int handled, pings;

static gboolean on_idle_too_long(gpointer data)
{
	(void)data;
	return G_SOURCE_REMOVE;
}

static gboolean on_ping(gpointer data)
{
	(void)data;
	pings++;
	return G_SOURCE_CONTINUE;
}

/* All through the run they come; what is called belongs to the first ones. */
static gboolean on_connection(gpointer data)
{
	(void)data;
	g_timeout_add_seconds(600, on_idle_too_long, NULL);
	if (handled < FIRST)
		g_timeout_add(20, on_ping, NULL);
	if (++handled < REQUESTS)
		return G_SOURCE_CONTINUE;
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	loop = g_main_loop_new(NULL, FALSE);
	g_timeout_add(2, on_connection, NULL);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	puts(pings ? "done" : "none");
	return 0;
}
