/* SPDX-License-Identifier: MIT */
/*
 * engage_gloop.h - exercises of the rows of GLib's main loop, GIO's tasks and thread pools. Absent: nothing is expected.
 */
#ifndef THRUM_TESTS_ENGAGE_GLOOP_H
#define THRUM_TESTS_ENGAGE_GLOOP_H

static const char *const gio[] = { "libgio-2.0.so.0", NULL };
enum { G_LOW = 300, G_PLACED = 2, G_SOURCE_LIFE = 3 }; /* made, armed; and removed */

static int g_calls;

/* A callback of any kind of source: what is passed beyond is left alone. False: the source is over. */
static int g_called(void)
{
	g_calls++;
	return 0;
}

static void *g_get(const char *name)
{
	static const char *const both[] = { "libglib-2.0.so.0", "libgio-2.0.so.0", NULL };

	return library_function(both, name);
}

#define G_DO(ret, name, params, args) ((ret(*) params)g_get(#name)) args

/* Turns the default context until its callback was called `calls` times. */
static int g_turn(int calls)
{
	for (int i = 0; i < 1000 && g_calls < calls; i++) {
		G_DO(int, g_main_context_iteration, (void *, int), (NULL, 1));
	}
	return g_calls >= calls;
}

/* ---- sources that are made, filled and attached at once ---- */

#define G_ADDED(name, params, args)                                       \
	static int exercise_##name(void)                                  \
	{                                                                 \
		unsigned(*add) params = (unsigned(*) params)g_get(#name); \
		unsigned id = add ? add args : 0;                         \
                                                                          \
		if (!id) {                                                \
			return 0;                                         \
		}                                                         \
		G_DO(int, g_source_remove, (unsigned), (id));             \
		return G_SOURCE_LIFE;                                     \
	}
#define G_PAIR_ADDED(name, params, args, full, full_params, full_args) \
	G_ADDED(name, params, args)                                    \
	G_ADDED(full, full_params, full_args)
#define F (void *)g_called

G_PAIR_ADDED(g_idle_add, (void *, void *), (F, NULL), g_idle_add_full,
	     (int, void *, void *, void *), (G_LOW, F, NULL, NULL))
G_PAIR_ADDED(g_timeout_add, (unsigned, void *, void *), (1000, F, NULL), g_timeout_add_full,
	     (int, unsigned, void *, void *, void *), (G_LOW, 1000, F, NULL, NULL))
G_PAIR_ADDED(g_timeout_add_seconds, (unsigned, void *, void *), (9, F, NULL),
	     g_timeout_add_seconds_full, (int, unsigned, void *, void *, void *),
	     (G_LOW, 9, F, NULL, NULL))
G_PAIR_ADDED(g_unix_fd_add, (int, int, void *, void *), (0, 8, F, NULL), g_unix_fd_add_full,
	     (int, int, int, void *, void *, void *), (G_LOW, 0, 8, F, NULL, NULL))
G_PAIR_ADDED(g_unix_signal_add, (int, void *, void *), (SIGUSR2, F, NULL), g_unix_signal_add_full,
	     (int, int, void *, void *, void *), (G_LOW, SIGUSR2, F, NULL, NULL))
G_PAIR_ADDED(g_io_add_watch, (void *, int, void *, void *),
	     (G_DO(void *, g_io_channel_unix_new, (int), (0)), 8, F, NULL), g_io_add_watch_full,
	     (void *, int, int, void *, void *, void *),
	     (G_DO(void *, g_io_channel_unix_new, (int), (0)), G_LOW, 8, F, NULL, NULL))
G_ADDED(g_timeout_add_seconds_once, (unsigned, void *, void *), (9, F, NULL))

/* Those that are called once are. */
#define G_ONCE(name, params, args)                                        \
	static int exercise_##name(void)                                  \
	{                                                                 \
		unsigned(*add) params = (unsigned(*) params)g_get(#name); \
                                                                          \
		g_calls = 0;                                              \
		if (!add) {                                               \
			return 0;                                         \
		}                                                         \
		return add args && g_turn(1) ? G_PLACED + 3 : 1000;       \
	}
G_ONCE(g_idle_add_once, (void *, void *), (F, NULL))
G_ONCE(g_timeout_add_once, (unsigned, void *, void *), (1, F, NULL))

static int g_child(bool full)
{
	pid_t pid;

	if (!g_get("g_child_watch_add")) {
		return 0;
	}
	g_calls = 0;
	pid = fork();
	if (pid == 0) {
		_exit(0);
	}
	if (full) {
		G_DO(unsigned, g_child_watch_add_full, (int, int, void *, void *, void *),
		     (G_LOW, pid, F, NULL, NULL));
	} else {
		G_DO(unsigned, g_child_watch_add, (int, void *, void *), (pid, F, NULL));
	}
	return g_turn(1) ? G_PLACED + 3 : 1000;
}
static int exercise_g_child_watch_add(void)
{
	return g_child(false);
}
static int exercise_g_child_watch_add_full(void)
{
	return g_child(true);
}

/* ---- sources, step by step ---- */

static int g_source_life(void *source, bool turn)
{
	if (!source) {
		return 0;
	}
	g_calls = 0;
	G_DO(void, g_source_set_callback, (void *, void *, void *, void *),
	     (source, F, NULL, NULL));
	if (turn) {
		G_DO(void, g_source_set_ready_time, (void *, int64_t), (source, 0));
	}
	G_DO(unsigned, g_source_attach, (void *, void *), (source, NULL));
	if (turn && !g_turn(1)) {
		return 1000;
	}
	if (!turn) {
		G_DO(void, g_source_destroy, (void *), (source));
	}
	G_DO(void, g_source_unref, (void *), (source));
	return turn ? G_PLACED + 4 : G_SOURCE_LIFE;
}
#define G_MADE(name, params, args)                                   \
	static int exercise_##name(void)                             \
	{                                                            \
		void *(*make)params = (void *(*)params)g_get(#name); \
                                                                     \
		return make ? g_source_life(make args, false) : 0;   \
	}
G_MADE(g_idle_source_new, (void), ())
G_MADE(g_timeout_source_new, (unsigned), (1000))
G_MADE(g_timeout_source_new_seconds, (unsigned), (9))
G_MADE(g_unix_fd_source_new, (int, int), (0, 8))
G_MADE(g_unix_signal_source_new, (int), (SIGUSR2))
G_MADE(g_child_watch_source_new, (int), (1))
G_MADE(g_io_create_watch, (void *, int), (G_DO(void *, g_io_channel_unix_new, (int), (0)), 8))

/* One of the program's own: without a callback its dispatch is what is called. */
static int g_dispatch(void *source, int (*function)(void *), void *data)
{
	(void)source;
	g_calls += function || data ? 1000 : 1;
	return 0;
}
static int g_own_source(bool callback)
{
	static void *functions[6] = { NULL, NULL, (void *)g_dispatch };
	void *(*make)(void *, unsigned) = (void *(*)(void *, unsigned))g_get("g_source_new");
	void *source = make ? make(functions, 128) : NULL;

	if (!source) {
		return 0;
	}
	if (callback) {
		return g_source_life(source, true);
	}
	g_calls = 0;
	G_DO(void, g_source_set_ready_time, (void *, int64_t), (source, 0));
	G_DO(unsigned, g_source_attach, (void *, void *), (source, NULL));
	G_DO(void, g_source_unref, (void *), (source));
	return g_turn(1) && g_calls == 1 ? G_PLACED + 3 : 1000;
}
static int exercise_g_source_attach(void)
{
	return g_own_source(false);
}
static int exercise_g_source_set_callback(void)
{
	return g_own_source(true);
}
static int exercise_g_source_set_ready_time(void)
{
	return g_own_source(true);
}

/* ---- loops ---- */

static int g_quit(void *loop)
{
	G_DO(void, g_main_loop_quit, (void *), (loop));
	return 0;
}
static int exercise_g_main_loop_run(void)
{
	void *(*make)(void *, int) = (void *(*)(void *, int))g_get("g_main_loop_new");
	void *loop = make ? make(NULL, 0) : NULL;

	if (!loop) {
		return 0;
	}
	G_DO(unsigned, g_idle_add, (void *, void *), ((void *)g_quit, loop));
	G_DO(void, g_main_loop_run, (void *), (loop));
	G_DO(void, g_main_loop_unref, (void *), (loop));
	return G_PLACED + 6;
}
static int exercise_g_main_loop_quit(void)
{
	return exercise_g_main_loop_run();
}
static int exercise_g_main_context_iteration(void)
{
	DO(glib, int, g_main_context_iteration, (void *, int), (NULL, 0));
	return 2;
}
static int exercise_g_main_context_dispatch(void)
{
	void *(*get)(void) = (void *(*)(void))g_get("g_main_context_default");
	void *context = get ? get() : NULL;

	if (!context) {
		return 0;
	}
	G_DO(int, g_main_context_acquire, (void *), (context));
	G_DO(void, g_main_context_dispatch, (void *), (context));
	G_DO(void, g_main_context_release, (void *), (context));
	return 2;
}
static int exercise_g_main_context_wakeup(void)
{
	DO(glib, void, g_main_context_wakeup, (void *), (NULL));
	return 1;
}

/* From a thread that does not own the context. */
static void *g_invoke(void *full)
{
	if (full) {
		G_DO(void, g_main_context_invoke_full, (void *, int, void *, void *, void *),
		     (NULL, 0, F, NULL, NULL));
	} else {
		G_DO(void, g_main_context_invoke, (void *, void *, void *), (NULL, F, NULL));
	}
	return NULL;
}
static int g_invoked(void *full)
{
	pthread_t t;

	if (!g_get("g_main_context_invoke")) {
		return 0;
	}
	g_calls = 0;
	G_DO(int, g_main_context_acquire, (void *), (NULL));
	pthread_create(&t, NULL, g_invoke, full);
	pthread_join(t, NULL);
	if (!g_turn(1)) {
		return 1000;
	}
	G_DO(void, g_main_context_release, (void *), (NULL));
	return G_PLACED + 3;
}
static int exercise_g_main_context_invoke(void)
{
	return g_invoked(NULL);
}
static int exercise_g_main_context_invoke_full(void)
{
	return g_invoked(F);
}

/* ---- tasks of GIO ---- */

static void g_ready(void *object, void *task, void *data)
{
	(void)object;
	(void)task;
	(void)data;
	g_calls++;
}
static void *g_task(void *cancellable)
{
	void *(*make)(void *, void *, void *, void *) =
		(void *(*)(void *, void *, void *, void *))library_function(gio, "g_task_new");

	g_calls = 0;
	return make ? make(NULL, cancellable, (void *)g_ready, NULL) : NULL;
}
static int g_task_over(void *task, int records)
{
	G_DO(void, g_object_unref, (void *), (task));
	return g_turn(1) ? records : 1000;
}
static int exercise_g_task_new(void)
{
	void *task = g_task(NULL);

	if (!task) {
		return 0;
	}
	G_DO(void, g_object_unref, (void *), (task));
	return 2;
}
/* Made, its result, the function's two, over. */
#define G_RETURNED(name, params, args)                                             \
	static int exercise_##name(void)                                           \
	{                                                                          \
		void *t = g_task(NULL);                                            \
		void(*give) params = (void(*) params)library_function(gio, #name); \
                                                                                   \
		if (!t || !give) {                                                 \
			return 0;                                                  \
		}                                                                  \
		give args;                                                         \
		return g_task_over(t, 5);                                          \
	}
G_RETURNED(g_task_return_pointer, (void *, void *, void *), (t, NULL, NULL))
G_RETURNED(g_task_return_int, (void *, ssize_t), (t, 1))
G_RETURNED(g_task_return_boolean, (void *, int), (t, 1))
G_RETURNED(g_task_return_value, (void *, void *), (t, NULL))
G_RETURNED(g_task_return_error, (void *, void *),
	   (t, G_DO(void *, g_error_new_literal, (uint32_t, int, const char *), (1, 1, "no"))))
G_RETURNED(g_task_return_new_error, (void *, uint32_t, int, const char *, ...),
	   (t, 1, 1, "no %d of %s", 7, "these"))
G_RETURNED(g_task_return_new_error_literal, (void *, uint32_t, int, const char *), (t, 1, 1, "no"))
static int exercise_g_task_return_error_if_cancelled(void)
{
	void *(*make)(void) = (void *(*)(void))library_function(gio, "g_cancellable_new");
	void *cancellable = make ? make() : NULL, *t = cancellable ? g_task(cancellable) : NULL;

	if (!t) {
		return 0;
	}
	G_DO(void, g_cancellable_cancel, (void *), (cancellable));
	G_DO(int, g_task_return_error_if_cancelled, (void *), (t));
	return g_task_over(t, 5);
}
static void g_on_thread(void *task, void *object, void *data, void *cancellable)
{
	(void)object;
	(void)data;
	(void)cancellable;
	G_DO(void, g_task_return_boolean, (void *, int), (task, 1));
}
static int exercise_g_task_run_in_thread(void)
{
	void *t = g_task(NULL);

	if (!t) {
		return 0;
	}
	G_DO(void, g_task_run_in_thread, (void *, void *), (t, (void *)g_on_thread));
	return g_task_over(t, 9);
}
static int exercise_g_task_run_in_thread_sync(void)
{
	void *t = g_task(NULL);

	if (!t) {
		return 0;
	}
	G_DO(void, g_task_run_in_thread_sync, (void *, void *), (t, (void *)g_on_thread));
	G_DO(void, g_object_unref, (void *), (t));
	return 7;
}

/* ---- thread pools ---- */

static int g_items;
static void g_work(void *item, void *data)
{
	(void)data;
	__atomic_add_fetch(&g_items, item != NULL, __ATOMIC_SEQ_CST);
}
/* Each item is made, called, returned, over; the pool is stopped and closed. */
static int g_pool(void *(*make)(void), int items)
{
	void *pool = g_get("g_thread_pool_new") ? make() : NULL;

	if (!pool) {
		return 0;
	}
	g_items = 0;
	for (int i = 0; i < items; i++) { /* the same item each time */
		G_DO(int, g_thread_pool_push, (void *, void *, void **), (pool, pool, NULL));
	}
	G_DO(void, g_thread_pool_free, (void *, int, int), (pool, 0, 1));
	return g_items == items ? 4 * items + 2 : 1000;
}
static void *g_pool_plain(void)
{
	return G_DO(void *, g_thread_pool_new, (void *, void *, int, int, void **),
		    ((void *)g_work, NULL, 2, 0, NULL));
}
static void *g_pool_full(void)
{
	return G_DO(void *, g_thread_pool_new_full, (void *, void *, void *, int, int, void **),
		    ((void *)g_work, NULL, (void *)g_called, 1, 1, NULL));
}
static int exercise_g_thread_pool_new(void)
{
	return g_pool(g_pool_plain, 1);
}
static int exercise_g_thread_pool_new_full(void)
{
	return g_get("g_thread_pool_new_full") ? g_pool(g_pool_full, 1) : 0;
}
static int exercise_g_thread_pool_push(void)
{
	return g_pool(g_pool_plain, 5);
}
static int exercise_g_thread_pool_free(void)
{
	return g_pool(g_pool_plain, 0);
}

#undef F
#endif
