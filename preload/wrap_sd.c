/* SPDX-License-Identifier: MIT */
/*
 * wrap_sd.c - sd-event: loops and sources.
 *
 * A source keeps its handler to itself, and gives itself to it first: ours stands in, and finds the host's by that address. A loop and
 * its sources are for one thread, so a source is noted when its call comes back with it, before its handler can
 * be called. A floating one, which is the loop's and not the caller's, is made like any other and then let go.
 *
 * Sources are counted as sd-event counts them, its own references included: all go through its exported functions. Should that
 * ever be wrong, an entry stays until another source is made at its address: a handler is never lost. Of a loop,
 * the program's references are counted.
 */
#include "wrap_block.h"
#include "wrap_library.h"

static struct task_library sd_library;

enum {
	SD_LOOP_KIND = KIND_OF_LIBRARY(LOOP, SD),
	LOOPS = 64,
	SD_DEFAULT_LOOPS = 16, /* below: numbers that stand for the thread's, the user's … */
};

#define SD_ENTER(call, name) \
	task_enter(&(call), ARCH_CALLER(), &sd_library, (void *)(uintptr_t)real_##name)

static uint32_t loop_id(struct call *c, const void *loop)
{
	return (uintptr_t)loop < SD_DEFAULT_LOOPS ? 0 : task_loop(c, loop, SD_LOOP_KIND);
}

/* ---- references, kept in struct task ---- */

static uintptr_t references(const struct task *t)
{
	return (uintptr_t)t->argument;
}

static void set_references(struct task *t, uintptr_t count)
{
	t->argument = (void *)count;
}

/* ---- handlers ---- */

#define RUN(name, params, type, args)                                                             \
	CALLS_BACK static int name params                                                         \
	{                                                                                         \
		struct task_run run;                                                              \
		int rc = 0;                                                                       \
                                                                                                  \
		if (task_called(&run, ARCH_CALLER(), s, TRACE_TASK_SD_SOURCE, 0, TASK_GOES_ON)) { \
			rc = ((int(*) type)(uintptr_t)run.callback)args;                          \
			task_returned(&run, ARCH_CALLER());                                       \
		}                                                                                 \
		return rc;                                                                        \
	}
RUN(run_plain, (void *s, void *p), (void *, void *), (s, p))
RUN(run_io, (void *s, int fd, uint32_t events, void *p), (void *, int, uint32_t, void *),
    (s, fd, events, p))
RUN(run_time, (void *s, uint64_t us, void *p), (void *, uint64_t, void *), (s, us, p))
RUN(run_told, (void *s, const void *what, void *p), (void *, const void *, void *), (s, what, p))

/* SLOW: the library may have come just now. */
static void sd_ready(void)
{
	if (unlikely(!real_sd_event_source_get_event)) {
		shim_resolve_all();
	}
}

/* SLOW: false = out of memory: ours would not find the host's. */
static bool source_made(struct call *c, void *source, const void *loop, void *handler,
			bool floating, bool once)
{
	struct task *t =
		task_new(c, source, floating ? TRACE_TASK_SD_FLOATING : TRACE_TASK_SD_SOURCE, 0);

	if (!t) {
		return false;
	}
	set_references(t, floating ? 0 : 1);
	task_set_callback(t, 0, handler);
	task_arm(c, t, loop_id(c, loop), once);
	return true;
}

/* Its own calls too: what sd-bus adds runs handlers of the host's. Those inside an add are part of it. */
#define PRIM_SD_ADD(kind, ret, name, params, args, trampoline, once_)                         \
	EXPORT ret name params                                                                \
	{                                                                                     \
		void *own = NULL, *loop, *handler = cb;                                       \
		bool floating = !s, noted;                                                    \
		struct call call;                                                             \
		ret rc;                                                                       \
                                                                                              \
		sd_ready();                                                                   \
		if ((floating && !real_sd_event_source_set_floating) || !shim_enter(&call)) { \
			return real_##name args;                                              \
		}                                                                             \
		call.stack = stack_id(&call);                                                 \
		s = floating ? &own : s;                                                      \
		cb = cb ? (void *)(uintptr_t)trampoline : NULL;                               \
		shim_mute(&call);                                                             \
		rc = LIBRARY_REAL(name) args;                                                 \
		loop = rc < 0 ? NULL : LIBRARY_REAL(sd_event_source_get_event)(*s);           \
		shim_reenter(&call);                                                          \
		noted = rc < 0 || source_made(&call, *s, loop, handler, floating, once_);     \
		shim_mute(&call);                                                             \
		if (!noted) {                                                                 \
			LIBRARY_REAL(sd_event_source_disable_unref)(*s);                      \
			cb = handler;                                                         \
			rc = LIBRARY_REAL(name) args;                                         \
		}                                                                             \
		if (floating && rc >= 0) {                                                    \
			LIBRARY_REAL(sd_event_source_set_floating)(*s, 1);                    \
			LIBRARY_REAL(sd_event_source_unref)(*s);                              \
		}                                                                             \
		shim_unmute(&call);                                                           \
		return rc;                                                                    \
	}

/* ---- loops ---- */

static void loop_note(struct arch_caller caller, const void *real, const void *loop, unsigned step,
		      bool turn)
{
	struct call call;

	if (task_enter(&call, caller, &sd_library, real)) {
		task_loop_step(&call, loop_id(&call, loop), step, turn);
		shim_leave(&call);
	}
}
#define NOTE(name, loop, step, turn) \
	loop_note(ARCH_CALLER(), (void *)(uintptr_t)real_##name, loop, TRACE_LOOP_##step, turn)

/* sd_event_loop calls sd_event_run, that calls sd_event_dispatch: the outer one counts. */
#define PRIM_SD_DRIVE(kind, ret, name, params, args, loop_, turn_) \
	EXPORT ret name params                                     \
	{                                                          \
		ret rc;                                            \
                                                                   \
		NOTE(name, loop_, RUN, turn_);                     \
		rc = SD_REAL(name) args;                           \
		NOTE(name, loop_, LEFT, false);                    \
		return rc;                                         \
	}

/* SLOW: the real function in the copy that the caller means. Outside of the guard. */
static void *sd_real(struct arch_caller caller, const char *name, void *usual)
{
	struct call call;
	void *real;

	if (!shim_enter_with(&call, caller, ROOM)) {
		return usual;
	}
	real = shim_resolve_for(caller.ip, name, usual);
	shim_leave(&call);
	return real;
}
#define SD_REAL(name)                                                                \
	((__typeof__(real_##name))(unlikely(shim && shim->many_copies)               \
					   ? sd_real(ARCH_CALLER(), #name,           \
						     (void *)(uintptr_t)real_##name) \
					   : (void *)(uintptr_t)real_##name))

#include "../spec/primitives/sd.def"

/* The program's references of each loop. Beyond these, loops never end for us. */
static struct {
	_Atomic uintptr_t loop; /* 0 = free */
	_Atomic int32_t count;
} held[LOOPS];

/* Adds to the count; returns it. One that is not known is not the program's. */
static int32_t held_add(const void *loop, int32_t more)
{
	uintptr_t address = (uintptr_t)loop;
	int32_t count;

	for (size_t i = 0; i < LOOPS; i++) {
		if (atomic_load(&held[i].loop) == address) {
			count = atomic_fetch_add(&held[i].count, more) + more;
			if (count <= 0) {
				atomic_store(&held[i].count, 0);
				atomic_store(&held[i].loop, 0);
			}
			return count;
		}
	}
	for (size_t i = 0; i < LOOPS && more > 0; i++) {
		uintptr_t none = 0;

		if (atomic_compare_exchange_strong(&held[i].loop, &none, address)) {
			atomic_store(&held[i].count, more);
			return more;
		}
	}
	return INT32_MAX;
}

static void loop_held(struct arch_caller caller, const void *real, const void *loop)
{
	struct call call;

	if (loop && task_enter(&call, caller, &sd_library, real)) {
		held_add(loop, 1);
		shim_leave(&call);
	}
}
#define HELD(name, loop) loop_held(ARCH_CALLER(), (void *)(uintptr_t)real_##name, loop)

EXPORT int sd_event_new(void **e)
{
	int rc = SD_REAL(sd_event_new)(e);

	HELD(sd_event_new, rc >= 0 && e ? *e : NULL);
	return rc;
}

EXPORT int sd_event_default(void **e)
{
	int rc = SD_REAL(sd_event_default)(e);

	HELD(sd_event_default, rc >= 0 && e ? *e : NULL);
	return rc;
}

EXPORT void *sd_event_ref(void *e)
{
	HELD(sd_event_ref, e);
	return SD_REAL(sd_event_ref)(e);
}

EXPORT void *sd_event_unref(void *e)
{
	struct call call;

	sd_ready();
	if (e && SD_ENTER(call, sd_event_unref)) {
		if (held_add(e, -1) <= 0) {
			emit_osar(call.s, TRACE_LOOP, loop_id(&call, e), call.stack,
				  TRACE_LOOP_DROPPED, 0);
		}
		shim_leave(&call);
	}
	return SD_REAL(sd_event_unref)(e);
}

EXPORT int sd_event_exit(void *e, int code)
{
	NOTE(sd_event_exit, e, STOP, false);
	return SD_REAL(sd_event_exit)(e, code);
}

/* ---- sources ---- */

EXPORT int sd_event_source_set_enabled(void *s, int on)
{
	struct call call;
	struct task *t;

	sd_ready();
	if (s && SD_ENTER(call, sd_event_source_set_enabled)) {
		t = task_find(s, TRACE_TASK_SD_SOURCE);
		if (t && on) {
			task_arm(&call, t, 0, on < 0);
		} else if (t) {
			task_step(&call, t, TRACE_TASK_STOPPED);
		}
		shim_leave(&call);
	}
	return SD_REAL(sd_event_source_set_enabled)(s, on);
}

EXPORT int sd_event_source_set_time(void *s, uint64_t us)
{
	struct call call;
	struct task *t;

	sd_ready();
	if (s && SD_ENTER(call, sd_event_source_set_time)) {
		t = task_find(s, TRACE_TASK_SD_SOURCE);
		if (t) {
			task_arm(&call, t, 0, true);
		}
		shim_leave(&call);
	}
	return SD_REAL(sd_event_source_set_time)(s, us);
}

EXPORT void *sd_event_source_ref(void *s)
{
	struct task *t = s ? task_find(s, TRACE_TASK_SD_SOURCE) : NULL;

	if (t) {
		set_references(t, references(t) + 1);
	}
	return SD_REAL(sd_event_source_ref)(s);
}

/* The entry stays, in case that the loop calls it all the same. */
static void source_dropped(struct arch_caller caller, void *source)
{
	struct task *t = source ? task_find(source, TRACE_TASK_SD_SOURCE) : NULL;
	struct call call;

	if (!t || !references(t)) {
		return;
	}
	set_references(t, references(t) - 1);
	if (references(t) || t->kind == TRACE_TASK_SD_FLOATING ||
	    !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	call.stack = stack_id(&call);
	task_step(&call, t, TRACE_TASK_FINISHED);
	t->flags |= TASK_OVER;
	shim_leave(&call);
}

EXPORT void *sd_event_source_unref(void *s)
{
	source_dropped(ARCH_CALLER(), s);
	return SD_REAL(sd_event_source_unref)(s);
}

/* Calls the one above for the reference. */
EXPORT void *sd_event_source_disable_unref(void *s)
{
	struct call call;
	struct task *t;

	sd_ready();
	if (s && SD_ENTER(call, sd_event_source_disable_unref)) {
		t = task_find(s, TRACE_TASK_SD_SOURCE);
		if (t) {
			task_step(&call, t, TRACE_TASK_STOPPED);
		}
		shim_leave(&call);
	}
	return SD_REAL(sd_event_source_disable_unref)(s);
}
