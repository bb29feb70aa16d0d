/* SPDX-License-Identifier: MIT */
/* SHOWS GLib: items are pushed to a GThreadPool faster than its threads run them, all the time */
/* BUILD needs=glib */
/* EXPECT unbounded-tasks confidence=potential taskkinds=work+item stacks=on_packet */
/* RUN clean */
#include "loop_work.h"

#include <glib.h>

enum { PACKETS = 3000, AT_ONCE = 10 };

static GThreadPool *pool;
static int packets;

static void work(gpointer item, gpointer data)
{
	(void)data;
	sleep_ms(5);
	g_free(item);
}

static gboolean on_packet(gpointer loop)
{
	for (int i = 0; i < AT_ONCE; i++)
		g_thread_pool_push(pool, g_malloc(64), NULL);
	packets += AT_ONCE;
	if (packets < PACKETS)
		return G_SOURCE_CONTINUE;
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

int main(void)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);

	pool = g_thread_pool_new(work, NULL, 2, FALSE, NULL);
	g_timeout_add(4, on_packet, loop);
	g_main_loop_run(loop);
	printf("%d\n", packets);
	fflush(stdout);
	_exit(0);
}
