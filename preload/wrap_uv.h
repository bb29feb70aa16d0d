/* SPDX-License-Identifier: MIT */
/*
 * wrap_uv.h - the shapes of libuv's rows. Our trampoline goes in place of each callback that libuv keeps to itself; the host's is in
 * the task of its handle or request, found again by the address that libuv passes first.
 */
#ifndef THRUM_WRAP_UV_H
#define THRUM_WRAP_UV_H

#include "shim_task.h"
#include "wrap_library.h"

enum {
	UV_LOOP_KIND = KIND_OF_LIBRARY(LOOP, UV),
	/* Callbacks of a handle or request. */
	UV_CALLED = 0,
	UV_RECEIVED = 1, /* data, beside a listener's connections */
	UV_ENDED = 2,	 /* of uv_close, and after work */
	UV_SLOT = 3,
	UV_ONCE = 4, /* beside UV_CALLED: for one callback */
};

extern struct task_library uv_library;

#define UV_ENTER(call, name) \
	task_enter(&(call), ARCH_CALLER(), &uv_library, (void *)(uintptr_t)real_##name)

/* Does the host give a callback? What libuv passes on, from one function of it to the next, is ours already. */
#define UV_GIVES(cb) ((cb) && !task_is_trampoline((uintptr_t)(cb)))

/* Until the library's first call the real function is a stub of ours, which looks it up. */
#define PRIM_UV_INIT(kind, ret, name, params, args, object_, mode_)                               \
	EXPORT ret name params                                                                    \
	{                                                                                         \
		ret rc = real_##name args;                                                        \
		struct call call;                                                                 \
                                                                                                  \
		if (rc == 0 && UV_ENTER(call, name)) {                                            \
			task_new(&call, h, TRACE_TASK_##kind, task_loop(&call, l, UV_LOOP_KIND)); \
			shim_leave(&call);                                                        \
		}                                                                                 \
		return rc;                                                                        \
	}

/* SLOW: the trampoline to pass, or the host's own callback where memory is out. */
static void *uv_start(struct call *c, void *handle, unsigned kind, unsigned slot, void *callback,
		      void *trampoline);

#define PRIM_UV_START(kind, ret, name, params, args, trampoline, slot_)       \
	EXPORT ret name params                                                \
	{                                                                     \
		struct call call;                                             \
                                                                              \
		shim_resolve_once();                                          \
		if (UV_GIVES(cb) && UV_ENTER(call, name)) {                   \
			cb = uv_start(&call, h, TRACE_TASK_##kind, slot_, cb, \
				      (void *)(uintptr_t)trampoline);         \
			shim_leave(&call);                                    \
		}                                                             \
		return real_##name args;                                      \
	}

static void uv_note(struct call *c, void *handle, unsigned kind, bool arms);

#define UV_NOTE(kind, ret, name, params, args, arms)                \
	EXPORT ret name params                                      \
	{                                                           \
		struct call call;                                   \
                                                                    \
		if (UV_ENTER(call, name)) {                         \
			uv_note(&call, h, TRACE_TASK_##kind, arms); \
			shim_leave(&call);                          \
		}                                                   \
		return real_##name args;                            \
	}
#define PRIM_UV_AGAIN(kind, ret, name, params, args, object_, mode_) \
	UV_NOTE(kind, ret, name, params, args, true)
#define PRIM_UV_STOP(kind, ret, name, params, args, object_, mode_) \
	UV_NOTE(kind, ret, name, params, args, false)

/* SLOW: as uv_start, of a request. `loop` may be NULL; `handle` then says whose. */
static void *uv_request(struct call *c, void *request, unsigned kind, void *loop, void *handle,
			void *callback, void *trampoline);
/* SLOW: it failed at once: no callback will come. */
static void uv_request_failed(struct arch_caller caller, void *request, unsigned kind);

#define UV_ASK(kind, name, loop, handle, trampoline)                           \
	bool asked = false;                                                    \
	struct call call;                                                      \
                                                                               \
	shim_resolve_once();                                                   \
	if (UV_GIVES(cb) && UV_ENTER(call, name)) {                            \
		cb = uv_request(&call, q, TRACE_TASK_##kind, loop, handle, cb, \
				(void *)(uintptr_t)trampoline);                \
		asked = true;                                                  \
		shim_leave(&call);                                             \
	}

#define UV_REQUEST(kind, ret, name, params, args, loop, handle, trampoline)     \
	EXPORT ret name params                                                  \
	{                                                                       \
		ret rc;                                                         \
		UV_ASK(kind, name, loop, handle, trampoline)                    \
		rc = real_##name args;                                          \
		if (asked && rc != 0) {                                         \
			uv_request_failed(ARCH_CALLER(), q, TRACE_TASK_##kind); \
		}                                                               \
		return rc;                                                      \
	}
#define PRIM_UV_REQUEST(kind, ret, name, params, args, trampoline, mode_) \
	UV_REQUEST(kind, ret, name, params, args, l, NULL, trampoline)
#define PRIM_UV_HANDLE_REQUEST(kind, ret, name, params, args, trampoline, mode_) \
	UV_REQUEST(kind, ret, name, params, args, NULL, h, trampoline)
#define PRIM_UV_PIPE_CONNECT(kind, ret, name, params, args, trampoline, mode_) \
	EXPORT ret name params                                                 \
	{                                                                      \
		UV_ASK(kind, name, NULL, h, trampoline)                        \
		(void)asked;                                                   \
		real_##name args;                                              \
	}
/* Without a callback it is done at once, on the caller's time. */
#define PRIM_UV_FILE(kind, ret, name, params, args, trampoline, mode_)                      \
	EXPORT ret name params                                                              \
	{                                                                                   \
		uint64_t since = cb ? 0 : task_blocks_since();                              \
		ret rc;                                                                     \
		UV_ASK(kind, name, l, NULL, trampoline)                                     \
		rc = real_##name args;                                                      \
		if (asked && rc != 0) {                                                     \
			uv_request_failed(ARCH_CALLER(), q, TRACE_TASK_##kind);             \
		}                                                                           \
		if (since) {                                                                \
			task_blocked(ARCH_CALLER(), TRACE_CALL_FILE, 0, since, UINT64_MAX); \
		}                                                                           \
		return rc;                                                                  \
	}

#endif
