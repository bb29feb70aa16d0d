/* SPDX-License-Identifier: MIT */
/* SHOWS GLib: each request adds a timeout that goes on for ever: nobody removes it when the request is over */
/* BUILD needs=glib */
/* EXPECT leaked-handle confidence=potential taskkinds=timeout+source stacks=handle_request */
/* RUN clean */
#include "loop_work.h"

#include <glib.h>

enum { REQUESTS = 200 };

static GMainLoop *loop;
static int handled, polls;

static gboolean on_poll(gpointer data)
{
	(void)data;
	polls++;
	return G_SOURCE_CONTINUE;
}

static NOINLINE void handle_request(void)
{
	g_timeout_add(10, on_poll, NULL);
}

static gboolean on_request(gpointer data)
{
	(void)data;
	handle_request();
	if (++handled < REQUESTS)
		return G_SOURCE_CONTINUE;
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	loop = g_main_loop_new(NULL, FALSE);
	g_timeout_add(2, on_request, NULL);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	puts(polls ? "done" : "none");
	return 0;
}
