/* SPDX-License-Identifier: MIT */
/* SCENARIO S68: GLib: a look-alike: the function is posted to another thread's context, which answers each time */
/* BUILD needs=glib */
/* NEVER deadlock stuck-wait leaked-task leaked-thread */
/* RUN clean */
#include "loop_work.h"

#include <glib.h>

enum { QUESTIONS = 20 };

static GMutex m;
static GCond answered;
static GMainLoop *loop, *other;
static int answers, asked;

static gboolean on_posted(gpointer data)
{
	(void)data;
	g_mutex_lock(&m);
	answers++;
	g_cond_signal(&answered);
	g_mutex_unlock(&m);
	return G_SOURCE_REMOVE;
}

static gpointer serve(gpointer context)
{
	g_main_context_push_thread_default(context);
	g_main_loop_run(other);
	g_main_context_pop_thread_default(context);
	return NULL;
}

static gboolean on_request(gpointer context)
{
	asked++;
	g_main_context_invoke(context, on_posted, NULL);
	g_mutex_lock(&m);
	while (answers < asked)
		g_cond_wait(&answered, &m);
	g_mutex_unlock(&m);
	if (asked < QUESTIONS)
		return G_SOURCE_CONTINUE;
	g_main_loop_quit(other);
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	GMainContext *context = g_main_context_new();
	GThread *t;

	loop = g_main_loop_new(NULL, FALSE);
	other = g_main_loop_new(context, FALSE);
	t = g_thread_new("server", serve, context);
	while (!g_main_loop_is_running(other))
		sched_yield();
	g_timeout_add(1, on_request, context);
	g_main_loop_run(loop);
	g_thread_join(t);
	g_main_loop_unref(other);
	g_main_loop_unref(loop);
	g_main_context_unref(context);
	printf("%d\n", answers);
	return 0;
}
