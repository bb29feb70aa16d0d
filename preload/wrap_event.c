/* SPDX-License-Identifier: MIT */
/*
 * wrap_event.c - libevent: loops and events. What it makes of them is in wrap_event_kinds.c.
 */
#include "wrap_event.h"

#include <stdarg.h>

const void *event_current;

/* ---- loops ---- */

/*
 * libevent's own switch for its debug messages is on while somebody drives a loop under our eyes. Only where all of them come through
 * here: its calls go by the names of the functions below (not so where it was linked with -Bsymbolic-functions, or loaded with RTLD_DEEPBIND).
 */
struct event_library {
	struct task_library range;
	const struct module
		*modules; /* the table of them then: another one, and all is looked up again */
	uint32_t *mask;	  /* NULL = it cannot be watched */
};
static uint32_t host_mask; /* what the host wants to see */

/* Bound to ours, or not bound yet. */
static bool comes_here(uintptr_t address, const char *name, const void *ours)
{
	const uintptr_t *slot = shim_resolve_slot(address, name);

	return slot && (*slot == (uintptr_t)ours || (!shim_deep_binding && module_find(*slot) &&
						     module_find(*slot) == module_find(address)));
}

/* SLOW, guard held: NULL = more of them than we know of. */
static struct event_library *library_of(uintptr_t address)
{
	static struct event_library libraries[4];

	for (struct event_library *l = libraries; l < libraries + 4; l++) {
		const struct module *m;

		if (l->range.end && (address < l->range.start || address >= l->range.end)) {
			continue;
		}
		if (unlikely(!l->range.end || l->modules != shim->modules)) {
			uintptr_t *slot = shim_resolve_slot(address, "event_debug_logging_mask_");

			m = module_find(address);
			l->range.start = m ? m->start : address;
			l->range.end = m ? m->end : address + 1;
			l->modules = shim->modules;
			l->mask = slot && comes_here(address, "event_debugx_", event_debugx_) &&
						  comes_here(address, "event_logv_", event_logv_)
					  ? (uint32_t *)*slot
					  : NULL;
		}
		return l;
	}
	return NULL;
}

static void watch_callbacks(const struct event_library *l)
{
	uint32_t mask;

	if (l && l->mask && (mask = __atomic_load_n(l->mask, __ATOMIC_RELAXED)) != UINT32_MAX) {
		host_mask = mask;
		__atomic_store_n(l->mask, UINT32_MAX, __ATOMIC_RELAXED);
	}
}

EXPORT void event_enable_debug_logging(uint32_t mask)
{
	struct event_library *l = NULL;
	struct loop_call e;

	if (EVENT_ENTER(e, event_enable_debug_logging, CALL_OF_HOST)) {
		l = library_of((uintptr_t)e.real);
		shim_leave(&e.call);
	}
	LOOP_REAL(e, event_enable_debug_logging)(mask);
	host_mask = mask;
	if (l && l->mask) {
		__atomic_store_n(l->mask, UINT32_MAX, __ATOMIC_RELAXED);
	}
}

EXPORT void event_logv_(int severity, const char *error, const char *f, va_list args)
{
	if (severity != 0 || host_mask) { /* 0: for those who debug */
		real_event_logv_(severity, error, f, args);
	}
}

struct event_drive {
	struct loop_call e;
	const void *outer;
	uint32_t depth, level; /* before; level: of callbacks */
	bool seen;
};

static void drive_begins(struct event_drive *d, const void *base, int flags)
{
	struct call *c = &d->e.call;

	task_drop_left(c->s, c->caller.sp);
	watch_callbacks(library_of((uintptr_t)d->e.real));
	/* event_base_dispatch jumps on to event_base_loop; no base can be driven inside itself. */
	d->e.is_inner |= base && c->s->event_base == base;
	d->outer = c->s->event_base;
	d->level = c->s->callback_count;
	d->depth = c->s->event_depth++;
	c->s->event_base = base;
	if (!d->e.is_inner) {
		task_loop_step(c, event_loop_of(c, base), TRACE_LOOP_RUN, flags);
	}
	shim_leave(c);
}

/* What is left by then waits for what need not come. */
static void drive_ends(struct event_drive *d, const void *base)
{
	struct call *c = &d->e.call;

	if (!d->seen || !loop_enter_again(&d->e)) {
		return;
	}
	task_end_late_above(c->s, d->level);
	c->s->event_base = d->outer;
	c->s->event_depth = d->depth;
	if (!d->e.is_inner) {
		emit_osar(c->s, TRACE_LOOP, event_loop_of(c, base), c->stack, TRACE_LOOP_LEFT, 0);
	}
	shim_leave(c);
}

/* The older ones call event_base_loop in turn, by its name. */
#define DRIVE(name, params, args, base, flags)                \
	EXPORT int name params                                \
	{                                                     \
		struct event_drive d;                         \
		int rc;                                       \
                                                              \
		d.seen = EVENT_ENTER(d.e, name, CALL_OF_ANY); \
		if (d.seen) {                                 \
			drive_begins(&d, base, flags);        \
		}                                             \
		rc = LOOP_REAL(d.e, name) args;               \
		drive_ends(&d, base);                         \
		return rc;                                    \
	}
DRIVE(event_base_loop, (void *b, int flags), (b, flags), b, flags)
DRIVE(event_base_dispatch, (void *b), (b), b, 0)
DRIVE(event_loop, (int flags), (flags), event_current, flags)
DRIVE(event_dispatch, (void), (), event_current, 0)

EXPORT void *event_init(void)
{
	struct loop_call e;
	bool seen = EVENT_ENTER(e, event_init, CALL_OF_HOST);
	void *base;

	if (seen) {
		shim_leave(&e.call);
	}
	base = LOOP_REAL(e, event_init)();
	if (seen) {
		event_current = base;
	}
	return base;
}

void event_base_ends(struct call *c, const void *base)
{
	uint32_t loop = event_loop_of(c, base ? base : event_current);

	task_end_all(c, TRACE_TASK_EVENT_EVENT, loop_ends_with, &loop);
	emit_osar(c->s, TRACE_LOOP, loop, c->stack, TRACE_LOOP_CLOSE, 0);
}

/* ---- events ---- */

void event_ends(struct call *c, const void *address)
{
	struct task *t = task_find(address, TRACE_TASK_EVENT_EVENT);

	if (t) {
		task_end(c, t, TRACE_TASK_FINISHED);
	}
}

/*
 * What was known of an event there holds no more; but not of one that event_new made. One that stays added until it is deleted was not
 * deleted: the library still has its memory.
 */
void event_assigned(struct call *c, const void *event)
{
	struct task *t = task_find(event, TRACE_TASK_EVENT_EVENT);

	if (t && t->flags & EVENT_HOSTS) {
		task_end(c, t,
			 t->flags & EVENT_ONLY_ONCE || !task_is_of_image(t) ? TRACE_TASK_FINISHED
									    : TRACE_TASK_LOST);
	}
}

void event_disarmed(struct call *c, const void *event)
{
	struct task *t = task_find(event, TRACE_TASK_EVENT_EVENT);

	if (t && t->flags & EVENT_HOSTS) {
		task_end(c, t, TRACE_TASK_FINISHED);
	} else if (t && t->flags & TASK_ARMED) {
		t->flags &= (uint8_t)~TASK_ARMED;
		task_step(c, t, TRACE_TASK_STOPPED);
	}
}

/* SLOW: the guard is held before and after, not meanwhile. */
static struct task *arm(struct loop_call *e, const void *event)
{
	enum { PERSIST = 0x10 };
	struct call *c = &e->call;
	const void *base = NULL;
	void *callback = NULL;
	short what = PERSIST;
	struct task *t;

	shim_leave(c); /* libevent may check the event, under a lock */
	if (real_event_get_base && real_event_get_events && real_event_get_callback) {
		base = real_event_get_base(event);
		what = real_event_get_events(event);
		callback = real_event_get_callback(event);
	}
	shim_reenter(c);
	t = task_find(event, TRACE_TASK_EVENT_EVENT);
	if (!t) {
		const struct event_library *l = library_of((uintptr_t)e->real);

		if (!(what & PERSIST) && (!l || !l->mask)) {
			return NULL; /* its end would not be seen */
		}
		t = task_new(c, event, TRACE_TASK_EVENT_EVENT, event_loop_of(c, base));
		if (!t) {
			return NULL;
		}
		t->flags |= EVENT_HOSTS | TASK_ENDS_WITH_LOOP;
	}
	t->flags &= (uint8_t)~EVENT_ONLY_ONCE;
	t->flags |= what & PERSIST ? 0 : EVENT_ONLY_ONCE;
	t->flags |= TASK_ARMED;
	if (callback) {
		task_set_callback(t, 0, callback);
	}
	task_arm(c, t, event_loop_of(c, base), !(what & PERSIST));
	return t;
}

EXPORT int event_add(void *ev, const void *t)
{
	struct loop_call e;
	bool seen = EVENT_ENTER(e, event_add, CALL_OF_HOST);
	int rc;

	if (seen) {
		arm(&e, ev);
		shim_leave(&e.call);
	}
	rc = LOOP_REAL(e, event_add)(ev, t);
	if (seen && rc != 0 && loop_enter_again(&e)) {
		event_disarmed(&e.call, ev);
		shim_leave(&e.call);
	}
	return rc;
}

EXPORT void event_active(void *ev, int what, short times)
{
	struct loop_call e;

	if (EVENT_ENTER(e, event_active, CALL_OF_HOST)) {
		arm(&e, ev);
		shim_leave(&e.call);
	}
	LOOP_REAL(e, event_active)(ev, what, times);
}

/* ---- callbacks ---- */

/* A callback of libevent's own, or of an event that it holds for the host. */
static struct task *inner_task(struct call *c)
{
	const void *base = c->s->event_base;
	struct task *t = base ? task_find(base, TRACE_TASK_EVENT_EVENT) : NULL;

	if (!t && base) {
		c->stack = stack_id(c);
		t = task_new(c, base, TRACE_TASK_EVENT_CALLBACK, event_loop_of(c, base));
		if (t) {
			t->flags |= TASK_ENDS_WITH_LOOP;
		}
	}
	return t;
}

static void callback_is_next(struct arch_caller caller, const void *event, void *callback)
{
	const struct event_library *l;
	struct call c;
	struct task *t;
	bool inner, over;

	if (!shim_enter_with(&c, caller, ROOM_EARLY)) {
		return;
	}
	l = library_of(caller.ip);
	t = event ? task_find(event, TRACE_TASK_EVENT_EVENT) : NULL;
	inner = !t;
	t = t ? t : inner_task(&c);
	if (t && l) {
		over = t->flags & EVENT_HOSTS && t->flags & EVENT_ONLY_ONCE;
		t->flags &= (uint8_t) ~(t->flags & EVENT_ONLY_ONCE ? TASK_ARMED : 0);
		task_called_late(&c, t, callback, &l->range, inner, over);
	}
	shim_leave(&c);
}

/* Seen unchanged in libevent 2.1.8 to 2.1.12. `f` differs from most others in its seventh byte. */
static bool is_next_message(const char *f, bool *ret_event)
{
	static const char head[] = "event_process_active: event";
	size_t i = 0;

	while (head[i] && f[i] == head[i]) {
		i++;
	}
	*ret_event = f[i] == ':'; /* else an event_callback: nobody's event */
	return !head[i];
}

EXPORT void event_debugx_(const char *f, ...)
{
	bool is_event;
	va_list args;

	if (is_next_message(f, &is_event)) {
		const void *event;

		va_start(args, f);
		event = va_arg(args, const void *);
		for (int i = is_event ? 3 : 1; i; i--) {
			(void)va_arg(args, const void *); /* words; or a number */
		}
		callback_is_next(ARCH_CALLER(), is_event ? event : NULL, va_arg(args, void *));
		va_end(args);
	}
	if (unlikely(host_mask)) {
		va_start(args, f);
		real_event_logv_(0, NULL, f, args);
		va_end(args);
	}
}

#include "../spec/primitives/event.def"
