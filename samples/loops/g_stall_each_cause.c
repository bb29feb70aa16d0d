/* SPDX-License-Identifier: MIT */
/* SHOWS GLib: callbacks of five kinds of sources hold up their loop for 300 ms, each in another way */
/* BUILD needs=glib */
/* EXPECT loop-stall confidence=observed tasks=on_compute taskkinds=timeout+source says=on+the+processor stacks=main */
/* EXPECT loop-stall confidence=observed tasks=on_sleep taskkinds=idle+source says=in+sleep stacks=on_sleep */
/* EXPECT loop-stall confidence=observed tasks=on_lock says=held+by+thread locks=table threadnames=holder stacks=on_lock */
/* EXPECT loop-stall confidence=observed tasks=on_readable taskkinds=descriptor+or+signal+source says=in+read stacks=on_readable */
/* EXPECT loop-stall confidence=observed tasks=own_dispatch taskkinds=source says=in+pthread_join stacks=own_dispatch */
/* EXPECT loop-stall confidence=observed tasks=on_result taskkinds=async+task says=in+sleep stacks=on_result */
/* EXPECT blocking-call-in-loop confidence=observed count=5 */
/* RUN clean */
#include "loop_work.h"

#include <gio/gio.h>
#include <glib-unix.h>

static GMainLoop *loop;
static GMutex table;
static int held, stop, fifo[2], left = 6;

static gboolean done(void)
{
	if (--left == 0)
		g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static gboolean on_compute(gpointer data)
{
	(void)data;
	compute_ms(300);
	return done();
}

static gboolean on_sleep(gpointer data)
{
	(void)data;
	g_usleep(300000);
	return done();
}

static gpointer holder(gpointer data)
{
	g_mutex_lock(&table);
	step_to(&held, 1);
	until(&stop, 1);
	compute_ms(300);
	g_mutex_unlock(&table);
	return data;
}

static gboolean on_lock(gpointer data)
{
	(void)data;
	until(&held, 1);
	step_to(&stop, 1);
	g_mutex_lock(&table);
	g_mutex_unlock(&table);
	return done();
}

static gpointer slow(gpointer data)
{
	sleep_ms(300);
	if (data)
		GIVES(1, (int)write(fifo[1], "y", 1));
	return NULL;
}

/* The first byte is there, the second is not. */
static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	GThread *writer;
	char byte[2];

	(void)condition;
	(void)data;
	GIVES(1, (int)read(fd, byte, 1));
	writer = g_thread_new("writer", slow, &fifo[1]);
	GIVES(1, (int)read(fd, byte + 1, 1));
	g_thread_join(writer);
	return done();
}

/* A source of the program's own, without a callback. */
static gboolean own_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	(void)source;
	(void)callback;
	(void)data;
	g_thread_join(g_thread_new("slow", slow, NULL));
	return done();
}

static void on_result(GObject *object, GAsyncResult *result, gpointer data)
{
	(void)object;
	(void)data;
	if (!g_task_propagate_boolean(G_TASK(result), NULL))
		abort();
	sleep_ms(300);
	done();
}

int main(void)
{
	static GSourceFuncs own = { .dispatch = own_dispatch };
	GThread *t = g_thread_new("holder", holder, NULL);
	GSource *source = g_source_new(&own, sizeof(GSource));
	GTask *task = g_task_new(NULL, NULL, on_result, NULL);

	loop = g_main_loop_new(NULL, FALSE);
	MUST(pipe(fifo));
	g_task_return_boolean(task, TRUE);
	g_object_unref(task);
	g_timeout_add(1, on_compute, NULL);
	g_idle_add(on_sleep, NULL);
	g_idle_add(on_lock, NULL);
	g_source_set_ready_time(source, 0);
	g_source_attach(source, NULL);
	g_source_unref(source);
	GIVES(1, (int)write(fifo[1], "x", 1));
	g_unix_fd_add(fifo[0], G_IO_IN, on_readable, NULL);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	g_thread_join(t);
	puts("done");
	return 0;
}
