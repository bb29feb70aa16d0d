/* SPDX-License-Identifier: MIT */
/* SCENARIO S68: GLib: a callback posts an idle to its own loop and waits for what that is to tell it, for ever */
/* BUILD needs=glib */
/* EXPECT deadlock confidence=observed threads=1 tasks=on_request,on_posted taskkinds=idle+source stacks=ask_and_wait,on_request roles=waits */
/* NEVER stuck-wait loop-stall */
/* RUN timeout=2 kill=1 */
#include "loop_work.h"

#include <glib.h>

static GMutex m;
static GCond answered;
static int answer;

static gboolean on_posted(gpointer data)
{
	(void)data;
	g_mutex_lock(&m);
	answer = 1;
	g_cond_signal(&answered);
	g_mutex_unlock(&m);
	return G_SOURCE_REMOVE;
}

static NOINLINE void ask_and_wait(void)
{
	g_idle_add(on_posted, NULL);
	g_mutex_lock(&m);
	while (!answer)
		g_cond_wait(&answered, &m);
	g_mutex_unlock(&m);
}

static gboolean on_request(gpointer data)
{
	(void)data;
	ask_and_wait();
	return G_SOURCE_REMOVE;
}

int main(void)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);

	g_timeout_add(1, on_request, NULL);
	g_main_loop_run(loop);
	return 0;
}
