/* SPDX-License-Identifier: MIT */
/* SHOWS GLib: sources of each request that end in every way: by themselves, removed by id, source, data, or with a context of their own */
/* BUILD needs=glib */
/* NEVER leaked-handle leaked-task unbounded-tasks loop-stall */
/* RUN clean */
#include "loop_work.h"

#include <glib.h>

enum { REQUESTS = 200 };

static GMainLoop *loop;
static int handled, calls, given_up;

static void on_given_up(gpointer data)
{
	(void)data;
	given_up++;
}

static gboolean on_poll(gpointer data)
{
	(void)data;
	calls++;
	return G_SOURCE_CONTINUE;
}

static gboolean on_last(gpointer data)
{
	(void)data;
	return G_SOURCE_REMOVE;
}

/* Four sources, each removed in another way, and one that ends by itself. */
static NOINLINE void handle_request(void)
{
	guint id = g_timeout_add_full(G_PRIORITY_DEFAULT, 1, on_poll, NULL, on_given_up);
	GSource *own = g_timeout_source_new(1);
	GMainContext *context = g_main_context_new();
	GSource *of_context = g_idle_source_new();
	static char key;

	g_source_set_callback(own, on_poll, NULL, on_given_up);
	g_source_attach(own, NULL);
	g_idle_add_full(G_PRIORITY_LOW, on_poll, &key, on_given_up);
	g_source_set_callback(of_context, on_poll, NULL, on_given_up);
	g_source_attach(of_context, context);
	g_source_unref(of_context);
	g_main_context_iteration(context, FALSE);
	g_timeout_add(1, on_last, NULL);

	g_source_remove(id);
	g_source_destroy(own);
	g_source_unref(own);
	if (!g_source_remove_by_user_data(&key))
		abort();
	g_main_context_unref(context);
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
	if (given_up != 4 * REQUESTS || calls < REQUESTS)
		abort();
	puts("done");
	return 0;
}
