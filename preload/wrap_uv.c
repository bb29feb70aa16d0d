/* SPDX-License-Identifier: MIT */
/*
 * wrap_uv.c - libuv: loops, handles, requests, the pool.
 */
#include "wrap_uv.h"

struct task_library uv_library;

/* ---- trampolines: one for each signature of a callback ---- */

#define RUN(name, slot, kind, after, params, type, args)                      \
	CALLS_BACK static void name params                                    \
	{                                                                     \
		struct task_run run;                                          \
                                                                              \
		if (task_called(&run, ARCH_CALLER(), h, kind, slot, after)) { \
			((void(*) type)(uintptr_t)run.callback) args;         \
			task_returned(&run, ARCH_CALLER());                   \
		}                                                             \
	}
#define RUN_HANDLE(name, params, type, args) \
	RUN(name, UV_CALLED, TRACE_TASK_UV_TIMER, TASK_GOES_ON, params, type, args)

RUN_HANDLE(run_any_handle, (void *h), (void *), (h))
RUN_HANDLE(run_poll, (void *h, int status, int events), (void *, int, int), (h, status, events))
RUN_HANDLE(run_signal, (void *h, int number), (void *, int), (h, number))
RUN_HANDLE(run_fs_event, (void *h, const char *name, int events, int status),
	   (void *, const char *, int, int), (h, name, events, status))
RUN_HANDLE(run_fs_poll, (void *h, int status, const void *before, const void *now),
	   (void *, int, const void *, const void *), (h, status, before, now))
RUN_HANDLE(run_connection, (void *h, int status), (void *, int), (h, status))
RUN_HANDLE(run_exit, (void *h, int64_t status, int number), (void *, int64_t, int),
	   (h, status, number))
RUN(run_read, UV_RECEIVED, TRACE_TASK_UV_TIMER, TASK_GOES_ON, (void *h, ssize_t n, const void *b),
    (void *, ssize_t, const void *), (h, n, b))
RUN(run_receive, UV_RECEIVED, TRACE_TASK_UV_TIMER, TASK_GOES_ON,
    (void *h, ssize_t n, const void *b, const void *a, unsigned flags),
    (void *, ssize_t, const void *, const void *, unsigned), (h, n, b, a, flags))

/* Nothing is to be called any more after these. A request's memory may be gone when the host's callback returns. */
#define RUN_REQUEST(name, params, type, args) \
	RUN(name, UV_CALLED, TRACE_TASK_UV_WORK, TASK_IS_OVER, params, type, args)

RUN_REQUEST(run_request, (void *h), (void *), (h))
RUN_REQUEST(run_status, (void *h, int status), (void *, int), (h, status))
RUN_REQUEST(run_resolved, (void *h, int status, void *list), (void *, int, void *),
	    (h, status, list))
RUN_REQUEST(run_named, (void *h, int status, const char *node, const char *service),
	    (void *, int, const char *, const char *), (h, status, node, service))
RUN_REQUEST(run_random, (void *h, int status, void *b, size_t n), (void *, int, void *, size_t),
	    (h, status, b, n))
RUN(run_work, UV_CALLED, TRACE_TASK_UV_WORK, TASK_HAS_WORKED, (void *h), (void *), (h))
RUN(run_after_work, UV_ENDED, TRACE_TASK_UV_WORK, TASK_IS_OVER, (void *h, int status),
    (void *, int), (h, status))
RUN(run_closed, UV_ENDED, TRACE_TASK_UV_TIMER, TASK_IS_OVER, (void *h), (void *), (h))

/* ---- what the rows share ---- */

static void *uv_start(struct call *c, void *handle, unsigned kind, unsigned slot, void *callback,
		      void *trampoline)
{
	struct task *t = task_touch(c, handle, kind, 0);

	if (!t) {
		return callback;
	}
	task_set_callback(t, slot & UV_SLOT, callback);
	task_arm(c, t, 0, slot & UV_ONCE);
	return trampoline;
}

static void uv_note(struct call *c, void *handle, unsigned kind, bool arms)
{
	struct task *t = task_find(handle, kind);

	if (t && arms) {
		task_arm(c, t, 0, false);
	} else if (t) {
		task_step(c, t, TRACE_TASK_STOPPED);
	}
}

static void *uv_request(struct call *c, void *request, unsigned kind, void *loop, void *handle,
			void *callback, void *trampoline)
{
	struct task *of = handle ? task_find(handle, TRACE_TASK_UV_TCP) : NULL;
	struct task *t =
		task_new(c, request, kind, of ? of->loop : task_loop(c, loop, UV_LOOP_KIND));

	if (!t) {
		return callback;
	}
	task_set_callback(t, UV_CALLED, callback);
	return trampoline;
}

static void uv_request_failed(struct arch_caller caller, void *request, unsigned kind)
{
	struct call call;
	struct task *t;

	if (shim_enter_with(&call, caller, ROOM_EARLY)) {
		call.stack = stack_id(&call);
		t = task_find(request, kind);
		if (t) {
			task_end(&call, t, TRACE_TASK_CANCELLED);
		}
		shim_leave(&call);
	}
}

#include "../spec/primitives/uv.def"

/* ---- loops ---- */

static uint32_t loop_note(struct arch_caller caller, const void *real, void *loop, unsigned step,
			  int rc)
{
	struct call call;
	uint32_t id = 0;

	if (task_enter(&call, caller, &uv_library, real)) {
		task_drop_left(call.s, caller.sp);
		id = task_loop(&call, loop, UV_LOOP_KIND);
		task_loop_step(&call, id, step, rc);
		if (step == TRACE_LOOP_CLOSE && rc == 0 && id) {
			/* What is made in its memory is another one. */
			object_retire(&call, object_peek((uintptr_t)loop + 1), 0);
		}
		shim_leave(&call);
	}
	return id;
}
#define LOOP_NOTE(name, loop, step, rc) \
	loop_note(ARCH_CALLER(), (void *)(uintptr_t)real_##name, loop, step, rc)

EXPORT int uv_run(void *l, int mode)
{
	int rc;

	shim_resolve_once();
	LOOP_NOTE(uv_run, l, TRACE_LOOP_RUN, mode);
	rc = real_uv_run(l, mode);
	LOOP_NOTE(uv_run, l, TRACE_LOOP_LEFT, rc);
	return rc;
}

EXPORT void uv_stop(void *l)
{
	LOOP_NOTE(uv_stop, l, TRACE_LOOP_STOP, 0);
	real_uv_stop(l);
}

EXPORT int uv_loop_close(void *l)
{
	int rc = real_uv_loop_close(l);

	LOOP_NOTE(uv_loop_close, l, TRACE_LOOP_CLOSE, rc < 0 ? -rc : rc);
	return rc;
}

/* ---- handles whose callback comes another way ---- */

struct uv_walk {
	void (*callback)(void *handle, void *argument);
	void *argument;
};

CALLS_BACK static void run_walk(void *h, void *p)
{
	const struct uv_walk *w = p;

	w->callback(h, w->argument);
	__asm__ volatile("" ::: "memory"); /* no jump of ours either */
}

/* So that what the host's callback jumps to at its end returns to us, not into libuv: see task_enter. */
EXPORT void uv_walk(void *l, void *cb, void *p)
{
	struct uv_walk walk = { .callback = (void (*)(void *, void *))(uintptr_t)cb,
				.argument = p };

	shim_resolve_once();
	if (!cb) {
		real_uv_walk(l, cb, p);
		return;
	}
	real_uv_walk(l, (void *)(uintptr_t)run_walk, &walk);
}

/*
 * Our callback also goes where the host gave none: it is the handle's end. Calls that seem to be libuv's own count as well: a
 * callback of the host may end in a jump here.
 */
static void *close_handle(struct arch_caller caller, void *h, void *cb)
{
	struct call call;
	struct task *t;

	if (cb != (void *)(uintptr_t)run_closed && task_enter_any(&call, caller)) {
		t = task_find(h, TRACE_TASK_UV_TIMER);
		if (t) {
			task_step(&call, t, TRACE_TASK_CLOSED);
			task_set_callback(t, UV_ENDED, cb);
			cb = (void *)(uintptr_t)run_closed;
		}
		shim_leave(&call);
	}
	return cb;
}

EXPORT void uv_close(void *h, void *cb)
{
	shim_resolve_once();
	real_uv_close(h, close_handle(ARCH_CALLER(), h, cb));
}

/* It closes by uv_close. Where it fails the host calls that. */
EXPORT int uv_tcp_close_reset(void *h, void *cb)
{
	shim_resolve_once();
	return real_uv_tcp_close_reset(h, close_handle(ARCH_CALLER(), h, cb));
}

/* The task `t` of a call that failed: there is no such handle. */
static void never_made(struct arch_caller caller, void *handle, unsigned kind, int rc)
{
	if (rc != 0) {
		uv_request_failed(caller, handle, kind);
	}
}

EXPORT int uv_async_init(void *l, void *h, void *cb)
{
	bool made = false;
	struct call call;
	struct task *t;
	int rc;

	shim_resolve_once();
	if (UV_ENTER(call, uv_async_init)) {
		t = task_new(&call, h, TRACE_TASK_UV_ASYNC, task_loop(&call, l, UV_LOOP_KIND));
		if (t && cb) {
			task_set_callback(t, UV_CALLED, cb);
			cb = run_any_handle;
		}
		made = t != NULL;
		shim_leave(&call);
	}
	rc = real_uv_async_init(l, h, cb);
	if (made) {
		never_made(ARCH_CALLER(), h, TRACE_TASK_UV_ASYNC, rc);
	}
	return rc;
}

/* uv_process_options_t of libuv 1: the callback comes first. */
struct uv_process_options {
	void *exit_cb;
	uint64_t rest[7];
};

EXPORT int uv_spawn(void *l, void *h, const void *o)
{
	struct uv_process_options options;
	bool made = false;
	struct call call;
	struct task *t;
	int rc;

	shim_resolve_once();
	if (o && UV_ENTER(call, uv_spawn)) {
		t = task_new(&call, h, TRACE_TASK_UV_PROCESS, task_loop(&call, l, UV_LOOP_KIND));
		options = *(const struct uv_process_options *)o;
		if (t && options.exit_cb) {
			task_set_callback(t, UV_CALLED, options.exit_cb);
			options.exit_cb = run_exit;
			o = &options;
		}
		made = t != NULL;
		shim_leave(&call);
	}
	rc = real_uv_spawn(l, h, o);
	(void)made; /* also after a failure the handle is to be closed */
	return rc;
}

/* ---- the pool ---- */

EXPORT int uv_queue_work(void *l, void *q, void *work, void *cb)
{
	bool asked = false;
	struct call call;
	struct task *t;
	int rc;

	shim_resolve_once();
	if (work && UV_ENTER(call, uv_queue_work)) {
		t = task_new(&call, q, TRACE_TASK_UV_WORK, task_loop(&call, l, UV_LOOP_KIND));
		if (t) {
			task_set_callback(t, UV_CALLED, work);
			task_set_callback(t, UV_ENDED, cb);
			task_arm(&call, t, 0, true);
			work = run_work;
			cb = run_after_work;
			asked = true;
		}
		shim_leave(&call);
	}
	rc = real_uv_queue_work(l, q, work, cb);
	if (asked) {
		never_made(ARCH_CALLER(), q, TRACE_TASK_UV_WORK, rc);
	}
	return rc;
}

EXPORT int uv_cancel(void *q)
{
	int rc = real_uv_cancel(q);
	struct call call;
	struct task *t;

	if (rc == 0 && UV_ENTER(call, uv_cancel)) {
		t = task_find(q, TRACE_TASK_UV_WORK);
		if (t) {
			task_step(&call, t,
				  TRACE_TASK_STOPPED); /* it is still called, with UV_ECANCELED */
		}
		shim_leave(&call);
	}
	return rc;
}
