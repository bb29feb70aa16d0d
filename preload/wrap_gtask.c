/* SPDX-License-Identifier: MIT */
/*
 * wrap_gtask.c - GIO's tasks, and GLib's thread pools.
 *
 * A GTask keeps the function that is to get its result, and the one that makes it on a thread, to itself: ours stand in, and find the
 * host's by the address of the GTask, which both are given. It is over when it is disposed of: a weak reference tells.
 * One that has a function for its result and never called it is thrown away.
 *
 * A GThreadPool shows its function and its data to whoever looks. The data stays the host's; the function is one of a
 * row of stand-ins, so that each pool has another. Pools beyond that row, and those of GIO, go unseen.
 */
#include "wrap_gloop.h"

static struct task_library gio_library;

enum { TASK_HAS_RESULT = 16, TASK_HAS_THREAD = 32 }; /* beside enum task_flag */

/* ---- GTask ---- */

/* The result of one thing that GIO was asked for. */
CALLS_BACK static void run_ready(void *object, void *task, void *data)
{
	struct task_run run;

	if (task_called(&run, ARCH_CALLER(), task, TRACE_TASK_G_TASK, 0, TASK_GOES_ON)) {
		((void (*)(void *, void *, void *))(uintptr_t)run.callback)(object, task, data);
		task_returned(&run, ARCH_CALLER());
	}
}

CALLS_BACK static void run_on_thread(void *task, void *object, void *data, void *cancellable)
{
	struct task_run run;

	if (task_called(&run, ARCH_CALLER(), task, TRACE_TASK_G_TASK_WORK, 0, TASK_IS_OVER)) {
		((void (*)(void *, void *, void *, void *))(uintptr_t)run.callback)(
			task, object, data, cancellable);
		task_returned(&run, ARCH_CALLER());
	}
}

/* Of the weak reference: it is disposed of. */
static void task_gone(void *unused, void *task)
{
	bool answered = real_g_task_get_completed && real_g_task_get_completed(task);
	struct call call;
	struct task *t;

	(void)unused;
	if (!shim_enter_with(&call, ARCH_CALLER(), ROOM_EARLY)) {
		return;
	}
	call.stack = stack_id(&call);
	t = task_find(task, TRACE_TASK_G_TASK);
	if (t) {
		answered |= !t->callback[0] || t->flags & (TASK_HAS_RESULT | TASK_HAS_THREAD);
		task_end(&call, t, answered ? TRACE_TASK_FINISHED : TRACE_TASK_DESTROYED);
	}
	shim_leave(&call);
}

EXPORT void *g_task_new(void *o, void *cancellable, void *f, void *p)
{
	struct arch_caller caller = ARCH_CALLER();
	struct task *t = NULL;
	struct call call;
	void *task;

	if (!gloop_enter(&call, caller)) {
		return G_REAL(caller, g_task_new)(o, cancellable, f, p);
	}
	shim_leave(&call);
	task = G_REAL(caller, g_task_new)(o, cancellable, f ? (void *)(uintptr_t)run_ready : NULL,
					  p);
	if (task) {
		shim_reenter(&call);
		t = task_new(&call, task, TRACE_TASK_G_TASK, 0);
		if (t) {
			task_set_callback(t, 0, f);
		}
		shim_leave(&call);
	}
	if (task && t) {
		G_REAL(caller, g_object_weak_ref)(task, (void *)(uintptr_t)task_gone, NULL);
	} else if (task && f) { /* out of memory: ours would not find the host's */
		G_REAL(caller, g_object_unref)(task);
		task = G_REAL(caller, g_task_new)(o, cancellable, f, p);
	}
	return task;
}

/* SLOW: what to pass for `function`. */
static void *on_thread(struct call *c, void *task, void *function)
{
	struct task *t = task_find(task, TRACE_TASK_G_TASK);

	if (t) {
		t->flags |= TASK_HAS_THREAD;
	}
	t = task_new(c, task, TRACE_TASK_G_TASK_WORK, 0);
	if (!t) {
		return function;
	}
	task_set_callback(t, 0, function);
	return (void *)(uintptr_t)run_on_thread;
}

#define RUN_IN_THREAD(name)                                 \
	EXPORT void name(void *t, void *f)                  \
	{                                                   \
		struct arch_caller caller = ARCH_CALLER();  \
		struct call call;                           \
                                                            \
		if (t && f && gloop_enter(&call, caller)) { \
			f = on_thread(&call, t, f);         \
			shim_leave(&call);                  \
		}                                           \
		G_REAL(caller, name)(t, f);                 \
	}
RUN_IN_THREAD(g_task_run_in_thread)
RUN_IN_THREAD(g_task_run_in_thread_sync)

/* SLOW: it has its result; who gave it posts the function that is to get it. */
static void note_result(struct arch_caller caller, void *task)
{
	void *context;
	struct task *t;
	struct call call;

	if (!task || !gloop_enter(&call, caller)) {
		return;
	}
	shim_leave(&call);
	context = G_REAL(caller, g_task_get_context)(task);
	shim_reenter(&call);
	t = task_find(task, TRACE_TASK_G_TASK);
	if (t) {
		t->flags |= TASK_HAS_RESULT;
		task_arm(&call, t, task_loop(&call, context, G_LOOP_KIND), true);
	}
	shim_leave(&call);
}

#define PRIM_G_RETURN(kind, ret, name, params, args, object_, mode_) \
	EXPORT ret name params                                       \
	{                                                            \
		struct arch_caller caller = ARCH_CALLER();           \
                                                                     \
		note_result(caller, object_);                        \
		G_REAL(caller, name) args;                           \
	}
#include "../spec/primitives/gtask.def"

/* GLib's own is these two calls. */
EXPORT void g_task_return_new_error(void *t, uint32_t domain, int code, const char *format, ...)
{
	struct arch_caller caller = ARCH_CALLER();
	va_list args;
	void *error;

	note_result(caller, t);
	if (!real_g_error_new_valist) {
		shim_resolve_all();
	}
	va_start(args, format);
	error = G_REAL(caller, g_error_new_valist)(domain, code, format, args);
	va_end(args);
	G_REAL(caller, g_task_return_error)(t, error);
}

EXPORT int g_task_return_error_if_cancelled(void *t)
{
	struct arch_caller caller = ARCH_CALLER();
	struct call call;
	struct task *task;
	int rc = G_REAL(caller, g_task_return_error_if_cancelled)(t);

	if (rc && gloop_enter(&call, caller)) {
		task = task_find(t, TRACE_TASK_G_TASK);
		if (task) {
			task->flags |= TASK_HAS_RESULT;
			task_arm(&call, task, 0, true);
		}
		shim_leave(&call);
	}
	return rc;
}

/* ---- thread pools ---- */

enum { TRIES = 1 << 22 };

/* One that has a stand-in. What is not recorded is counted all the same: the stand-in serves as long as one is needed. */
static struct pool {
	_Atomic uintptr_t address; /* 0 = free; 1 = not known yet, or no more */
	void (*function)(void *, void *);
	void *free_item;
	_Atomic int32_t items; /* pushed and not over */
	_Atomic bool lasting;  /* freed, and its stand-in may be called ever after */
} pools[G_POOLS];

/*
 * Of looking for an item's task. In memory that a fork wipes, and not waited for for ever: it is held without the guard.
 */
static bool pool_lock(const struct pool *p)
{
	spin_t *lock = &shim->g_pool_locks[p - pools];

	for (int i = 1; i < TRIES; i++) {
		if (!atomic_exchange_explicit(lock, 1, memory_order_acquire)) {
			return true;
		}
		if (i % 64 == 0) {
			sys0(SYS_sched_yield); /* the holder may wait for this processor */
		}
		__builtin_ia32_pause();
	}
	return false;
}

static void pool_unlock(const struct pool *p)
{
	atomic_store_explicit(&shim->g_pool_locks[p - pools], 0, memory_order_release);
}

static struct pool *pool_find(const void *address)
{
	for (size_t i = 0; i < G_POOLS; i++) {
		if (atomic_load_explicit(&pools[i].address, memory_order_relaxed) ==
		    (uintptr_t)address) {
			return &pools[i];
		}
	}
	return NULL;
}

/* An item is whatever the host pushes, and may be queued twice, or in two pools: where its tasks are found. */
static const void *item_key(const struct pool *p, const void *item)
{
	return (const void *)((uintptr_t)item * 0x9e3779b97f4a7c15u ^
			      (uintptr_t)(p - pools + 1) * 0x2545f4914f6cdd1du);
}

static void pool_released(struct pool *p)
{
	if (atomic_fetch_sub(&p->items, 1) == 1 && atomic_load(&p->lasting)) {
		atomic_store(&p->lasting, false);
		atomic_store(&p->address, 0);
	}
}

CALLS_BACK static void run_item(struct arch_caller caller, struct pool *p, void *item, void *data)
{
	struct task_run run = { .s = NULL };
	bool found = false;

	if (pool_lock(p)) {
		found = task_called(&run, caller, item_key(p, item), TRACE_TASK_G_POOL_WORK, 0,
				    TASK_IS_OVER);
		pool_unlock(p);
	}
	p->function(item, data);
	if (found) {
		task_returned(&run, caller);
	}
	pool_released(p);
}

#define STAND_IN(n)                                                \
	static void run_item_##n(void *item, void *data)           \
	{                                                          \
		run_item(ARCH_CALLER(), &pools[0##n], item, data); \
	}
#define EIGHT(EACH, n) \
	EACH(n##0) EACH(n##1) EACH(n##2) EACH(n##3) EACH(n##4) EACH(n##5) EACH(n##6) EACH(n##7)
#define ALL(EACH)      \
	EIGHT(EACH, 0) \
	EIGHT(EACH, 1) \
	EIGHT(EACH, 2) EIGHT(EACH, 3) EIGHT(EACH, 4) EIGHT(EACH, 5) EIGHT(EACH, 6) EIGHT(EACH, 7)
ALL(STAND_IN)

#define NAME_OF(n) run_item_##n,
static void (*const stand_in[G_POOLS])(void *, void *) = { ALL(NAME_OF) };

/* What to pass for `function`; NULL = no stand-in is free. */
static struct pool *pool_claim(void *function, void *free_item)
{
	for (size_t i = 0; i < G_POOLS; i++) {
		uintptr_t none = 0;

		if (!atomic_load_explicit(&pools[i].address, memory_order_relaxed) &&
		    atomic_compare_exchange_strong(&pools[i].address, &none, 1)) {
			pools[i].function = (void (*)(void *, void *))(uintptr_t)function;
			pools[i].free_item = free_item;
			return &pools[i];
		}
	}
	return NULL;
}

/* GIO's own pools run what has tasks of its own. */
static struct pool *pool_begin(struct arch_caller caller, void *function, void *free_item)
{
	struct call call;

	if (!function ||
	    !task_enter(&call, caller, &gio_library, (void *)(uintptr_t)real_g_task_new)) {
		return NULL;
	}
	shim_leave(&call);
	return pool_claim(function, free_item);
}

static void *pool_made(struct pool *p, void *made)
{
	if (p) {
		atomic_store(&p->address, (uintptr_t)made); /* NULL: free again */
	}
	return made;
}

EXPORT void *g_thread_pool_new(void *f, void *p, int most, int exclusive, void **error)
{
	struct arch_caller caller = ARCH_CALLER();
	struct pool *pool = pool_begin(caller, f, NULL);

	return pool_made(pool, G_REAL(caller, g_thread_pool_new)(
				       pool ? (void *)(uintptr_t)stand_in[pool - pools] : f, p,
				       most, exclusive, error));
}

EXPORT void *g_thread_pool_new_full(void *f, void *p, void *n, int most, int exclusive,
				    void **error)
{
	struct arch_caller caller = ARCH_CALLER();
	struct pool *pool = pool_begin(caller, f, n);

	return pool_made(pool, G_REAL(caller, g_thread_pool_new_full)(
				       pool ? (void *)(uintptr_t)stand_in[pool - pools] : f, p, n,
				       most, exclusive, error));
}

/* SLOW: before a thread can run it. */
static void note_item(struct call *c, struct pool *p, const void *pool, const void *item)
{
	uint32_t loop = task_loop(c, pool, G_POOL_KIND);
	struct task *t;

	if (pool_lock(p)) {
		t = task_add(c, item_key(p, item), TRACE_TASK_G_POOL_WORK, loop);
		if (t) {
			task_set_callback(t, 0, (void *)(uintptr_t)p->function);
		}
		pool_unlock(p);
	}
}

EXPORT int g_thread_pool_push(void *pool, void *item, void **error)
{
	struct arch_caller caller = ARCH_CALLER();
	struct pool *p = pool ? pool_find(pool) : NULL;
	struct call call;

	if (p) {
		atomic_fetch_add(&p->items, 1);
		if (gloop_enter(&call, caller)) {
			note_item(&call, p, pool, item);
			shim_leave(&call);
		}
	}
	return G_REAL(caller, g_thread_pool_push)(pool, item, error);
}

EXPORT void g_thread_pool_free(void *pool, int at_once, int wait)
{
	struct arch_caller caller = ARCH_CALLER();
	struct pool *p = pool ? pool_find(pool) : NULL;
	bool drops = at_once && p && !p->free_item, ends = drops || (!at_once && wait);
	struct call call;
	uint32_t id = 0;

	if (p && gloop_enter(&call, caller)) {
		id = task_loop(&call, pool, G_POOL_KIND);
		emit_osar(call.s, TRACE_LOOP, id, call.stack, TRACE_LOOP_STOP, 0);
		shim_leave(&call);
	}
	if (p) { /* another pool may be made at its address as soon as it is gone */
		atomic_store(&p->address, 1);
	}
	G_REAL(caller, g_thread_pool_free)(pool, at_once, wait);
	if (id && ends && gloop_enter(&call, caller)) {
		emit_osar(call.s, TRACE_LOOP, id, call.stack, TRACE_LOOP_CLOSE, 0);
		shim_leave(&call);
	}
	/* Dropped items are never over; a thread may be about to run one. */
	if (p && !at_once) {
		atomic_store(&p->lasting, true);
		atomic_fetch_add(&p->items, 1);
		pool_released(p);
	} else if (p && wait) {
		atomic_store(&p->items, 0);
		atomic_store(&p->address, 0);
	}
}
