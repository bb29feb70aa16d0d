/* SPDX-License-Identifier: MIT */
/* SHOWS GLib: items are pushed faster than the pool works, as long as there are any; in the end all are worked off */
/* BUILD needs=glib */
/* EXPECT unbounded-tasks confidence=potential stacks=read_input */
/* ALLOW leaked-thread */
/* RUN clean */
#include "loop_work.h"

#include <glib.h>

enum { ITEMS = 2400, AT_ONCE = 8 };

static void work(gpointer item, gpointer arg)
{
	(void)item, (void)arg;
	sleep_ms(4);
}

static NOINLINE void read_input(GThreadPool *pool)
{
	for (int i = 1; i <= ITEMS; i++) {
		g_thread_pool_push(pool, GINT_TO_POINTER(i), NULL);
		if (i % AT_ONCE == 0)
			sleep_ms(8);
	}
}

int main(void)
{
	GThreadPool *pool = g_thread_pool_new(work, NULL, 2, FALSE, NULL);

	read_input(pool);
	g_thread_pool_free(pool, FALSE, TRUE);
	return 0;
}
