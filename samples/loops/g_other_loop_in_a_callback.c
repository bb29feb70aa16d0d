/* SPDX-License-Identifier: MIT */
/* SHOWS GLib: a callback runs a loop on a context of its own until that is done, as the synchronous calls of GDBus do */
/* BUILD needs=glib */
/* EXPECT loop-stall confidence=observed tasks=on_request taskkinds=timeout+source says=in+poll stacks=call_sync */
/* EXPECT blocking-call-in-loop confidence=observed tasks=on_request says=in+poll */
/* RUN clean */
#include "loop_work.h"

#include <glib.h>

static GMainLoop *loop;

static gboolean on_reply(gpointer inner)
{
	g_main_loop_quit(inner);
	return G_SOURCE_REMOVE;
}

static NOINLINE void call_sync(void)
{
	GMainContext *context = g_main_context_new();
	GMainLoop *inner = g_main_loop_new(context, FALSE);
	GSource *reply = g_timeout_source_new(300);

	g_main_context_push_thread_default(context);
	g_source_set_callback(reply, on_reply, inner, NULL);
	g_source_attach(reply, context);
	g_source_unref(reply);
	g_main_loop_run(inner);
	g_main_context_pop_thread_default(context);
	g_main_loop_unref(inner);
	g_main_context_unref(context);
}

static gboolean on_request(gpointer data)
{
	(void)data;
	call_sync();
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	loop = g_main_loop_new(NULL, FALSE);
	g_timeout_add(1, on_request, NULL);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	puts("done");
	return 0;
}
