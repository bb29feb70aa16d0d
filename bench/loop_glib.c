/* SPDX-License-Identifier: MIT */
/*
 * loop_glib.c - workloads of GLib: timeouts that are made anew in their callback, one idle source that stays, and timeouts that are
 * made, removed and leaked by the million.
 */
#include "loop_micro.h"

#include <glib.h>

static GMainLoop *loop;

static gboolean on_idle(gpointer data)
{
	(void)data;
	if (++called < wanted)
		return G_SOURCE_CONTINUE;
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static gboolean on_timeout(gpointer data)
{
	if (++called < wanted)
		g_timeout_add(0, on_timeout, data);
	else
		g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static uint64_t run(void)
{
	loop = g_main_loop_new(NULL, FALSE);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	return called;
}

static uint64_t gtimeout(uint64_t n)
{
	(void)n;
	g_timeout_add(0, on_timeout, NULL);
	return run();
}

static uint64_t gidle(uint64_t n)
{
	(void)n;
	g_idle_add(on_idle, NULL);
	return run();
}

/* ---- a million timeouts ---- */

static __attribute__((noinline)) guint make_timeout(void)
{
	return g_timeout_add_seconds(1000, on_timeout, NULL);
}

static __attribute__((noinline)) void leak_timeout(void)
{
	g_timeout_add_seconds(1000, on_timeout, NULL);
}

/* Ten made and removed for each one that is leaked. */
static uint64_t gchurn(uint64_t n)
{
	for (uint64_t done = 0; done < n; done++) {
		MUST(!g_source_remove(make_timeout()));
		if (done % 10 == 9)
			leak_timeout();
		called++;
	}
	g_main_context_iteration(NULL, FALSE);
	return called;
}

WORKLOAD_MAIN({ "gtimeout", gtimeout }, { "gidle", gidle }, { "gchurn", gchurn })
