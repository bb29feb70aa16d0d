/* SPDX-License-Identifier: MIT */
/* SCENARIO S68b: GLib: a pool is freed at once while items are queued: they never run, and nobody frees them */
/* BUILD needs=glib */
/* EXPECT leaked-task confidence=observed taskkinds=work+item says=5+work+items stacks=main */
/* ALLOW leaked-thread */
/* RUN clean */
#include "loop_work.h"

#include <glib.h>

static int began, go;

static void work(gpointer item, gpointer data)
{
	(void)data;
	step_to(&began, 1);
	until(&go, 1);
	g_free(item);
}

int main(void)
{
	GThreadPool *pool = g_thread_pool_new(work, NULL, 1, FALSE, NULL);

	for (int i = 0; i < 6; i++)
		g_thread_pool_push(pool, g_malloc(64), NULL);
	until(&began, 1);
	g_thread_pool_free(pool, TRUE, FALSE);
	step_to(&go, 1);
	puts("done");
	return 0;
}
