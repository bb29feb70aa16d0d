/* SPDX-License-Identifier: MIT */
/*
 * wrap_ev.c - libev: watchers, loops, and the calls of what is pending.
 */
#include "wrap_ev.h"

/* ---- what is pending: libev's own table ---- */

/* In struct ev_loop, seen unchanged from libev 4.11 to 4.33. */
struct ev_pendings {
	struct ev_pending {
		void *watcher;
		int events;
	} * slot[5]; /* by priority; the last is the next */
	int room[5];
	int count[5];
};
enum { PENDINGS_AT = 0x30, PRIORITIES = 5 };

/* Seen of a library that defines ev_invoke_pending. */
struct ev_library {
	uintptr_t start, end;
	const struct module
		*modules; /* the table of them then: another one, and all is looked up again */
	enum { LAYOUT_UNKNOWN, LAYOUT_PROVEN, LAYOUT_OTHER } layout;
	unsigned (*pending_count)(void *);
	int (*clear_pending)(void *, void *);
	void (*invoke)(void *, void *, int);
};

static struct ev_pendings *pendings_of(const void *loop)
{
	return (struct ev_pendings *)((uintptr_t)loop + PENDINGS_AT);
}

/* SLOW, guard held: NULL = more of them than we know of. */
static struct ev_library *library_of(const void *real)
{
	static struct ev_library libraries[4];
	uintptr_t address = (uintptr_t)real;

	for (struct ev_library *l = libraries; l < libraries + 4; l++) {
		const struct module *m;

		if (l->end && (address < l->start || address >= l->end)) {
			continue;
		}
		if (likely(l->end && l->modules == shim->modules)) {
			return l;
		}
		m = module_find(address);
		*l = (struct ev_library){
			.start = m ? m->start : address,
			.end = m ? m->end : address + 1,
			.modules = shim->modules,
			.pending_count = (unsigned (*)(void *))shim_resolve_beside(
				address, "ev_pending_count"),
			.clear_pending = (int (*)(void *, void *))shim_resolve_beside(
				address, "ev_clear_pending"),
			.invoke = (void (*)(void *, void *, int))shim_resolve_beside(address,
										     "ev_invoke"),
		};
		if (!l->pending_count || !l->clear_pending || !l->invoke) {
			l->layout = LAYOUT_OTHER;
		}
		return l;
	}
	return NULL;
}

/* Does the memory there look like the table, with that many pending? Reads what may not be there. */
static bool looks_right(const void *loop, unsigned count)
{
	struct ev_pendings p;
	unsigned sum = 0, live = 0;

	if (!module_read((uintptr_t)pendings_of(loop), &p, sizeof(p))) {
		return false;
	}
	for (int i = 0; i < PRIORITIES; i++) {
		if (p.count[i] < 0 || p.count[i] > p.room[i] || p.room[i] > 1 << 28) {
			return false;
		}
		sum += (unsigned)p.count[i];
		for (int k = p.count[i]; k > 0 && k > p.count[i] - 8; k--) {
			struct ev_watcher_head head;
			struct ev_pending one;

			if (!module_read((uintptr_t)&p.slot[i][k - 1], &one, sizeof(one)) ||
			    !module_read((uintptr_t)one.watcher, &head, sizeof(head)) ||
			    (head.pending && head.pending != k)) {
				return false;
			}
			live += head.pending == k;
		}
	}
	return sum == count && live;
}

static bool is_proven(struct ev_library *l, void *loop)
{
	const struct ev_pendings *p = pendings_of(loop);
	unsigned count, sum = 0;

	if (unlikely(l->layout == LAYOUT_OTHER)) {
		return false;
	}
	count = l->pending_count(loop);
	if (unlikely(l->layout == LAYOUT_UNKNOWN) && count) {
		l->layout = looks_right(loop, count) ? LAYOUT_PROVEN : LAYOUT_OTHER;
	}
	if (l->layout != LAYOUT_PROVEN) {
		return false;
	}
	for (int i = 0; i < PRIORITIES; i++) {
		sum += (unsigned)p->count[i];
	}
	return sum == count;
}

/* Slots known to hold nothing to call, of each priority: those from `low` up to below `high`. */
struct ev_known {
	int low[PRIORITIES], high[PRIORITIES];
};

/* The watcher that libev would call now; NULL = none. A watcher's `pending` is the number of its slot, from 1. */
static void *next_watcher(const struct ev_pendings *p, struct ev_known *known)
{
	for (int i = PRIORITIES; i-- > 0;) {
		int *low = &known->low[i], *high = &known->high[i], count = p->count[i];

		if (count < *high) { /* a loop inside the callback called them all */
			*low = *high = count;
		}
		for (int k = count; k > 0; k--) {
			struct ev_watcher_head *w;

			if (k == *high) {
				k = *low;
				if (k == 0) {
					break;
				}
			}
			w = p->slot[i][k - 1].watcher;
			if (w->pending == k) {
				if (k <= *high || *low == *high) {
					*low = k - 1;
					*high = count;
				} else if (k - 1 == *high) {
					*high = count;
				}
				return w;
			}
		}
		*low = 0;
		*high = count;
	}
	return NULL;
}

/* How many of the slots are still to be called. */
static unsigned count_live(const struct ev_pendings *p)
{
	unsigned live = 0;

	for (int i = 0; i < PRIORITIES; i++) {
		for (int k = p->count[i]; k > 0; k--) {
			const struct ev_watcher_head *w = p->slot[i][k - 1].watcher;

			live += w->pending == k;
		}
	}
	return live;
}

EXPORT unsigned ev_pending_count(void *l)
{
	struct loop_call e;

	if (EV_ENTER(e, ev_pending_count)) {
		bool inside = e.call.s->ev_loop == l;

		shim_leave(&e.call);
		if (inside) { /* libev does not know yet which of them are done */
			return count_live(pendings_of(l));
		}
	}
	return LOOP_REAL(e, ev_pending_count)(l);
}

/* ---- callbacks ---- */

/* Where libev was built as everybody builds it, `cb` lies there; else it is no code. `known`: a callback that was looked up before. */
static void *callback_of(const void *watcher, const void *known)
{
	void *cb = ((void *const *)watcher)[3];

	return cb == known || module_find((uintptr_t)cb) ? cb : NULL;
}

/* SLOW: CALLED, until callbacks above the returned number are ended; UINT32_MAX = nothing was recorded. */
static uint32_t call_begins(const struct ev_library *l, void *loop, const struct ev_watcher_head *w,
			    struct arch_caller caller)
{
	static const struct task_library nobody = { 1, 0 }; /* no wait ends it: we see it return */
	bool inner = false;
	uint32_t level;
	struct call c;
	struct task *t;
	void *cb;

	if (!shim_enter_with(&c, caller, ROOM_EARLY)) {
		return UINT32_MAX;
	}
	t = task_find(w, TRACE_TASK_EV_IO);
	cb = callback_of(w, t ? t->callback[0] : NULL);
	if (!t && cb) { /* libev's own, or started out of our sight */
		inner = true;
		c.stack = 0;
		t = task_touch(&c, loop, TRACE_TASK_EV_CALLBACK, task_loop(&c, loop, EV_LOOP_KIND));
		if (t) {
			t->flags |= TASK_ENDS_WITH_LOOP | TASK_ARMED;
		}
	} else if (t && !w->active) {
		t->flags &= (uint8_t)~TASK_ARMED;
	}
	task_drop_left(c.s, caller.sp);
	level = c.s->callback_count;
	if (t) {
		task_called_late(&c, t, cb ? cb : (void *)(uintptr_t)l->invoke, &nobody, inner,
				 !(t->flags & TASK_ARMED));
	}
	shim_leave(&c);
	return level;
}

CALLS_BACK static void call_watcher(const struct ev_library *l, void *loop,
				    struct ev_watcher_head *w, struct arch_caller caller)
{
	uint32_t level = call_begins(l, loop, w, caller);
	int events = l->clear_pending(loop, w);
	struct call c;

	l->invoke(loop, w, events);
	if (level != UINT32_MAX && shim_enter_with(&c, caller, ROOM_EARLY)) {
		task_end_late_above(c.s, level);
		shim_leave(&c);
	}
}

static void set_calling(struct arch_caller caller, const void *loop)
{
	struct call c;

	if (shim_enter_with(&c, caller, ROOM_EARLY)) {
		c.s->ev_loop = loop;
		shim_leave(&c);
	}
}

EXPORT void ev_invoke_pending(void *l)
{
	struct ev_library *library = NULL;
	struct ev_known known = { 0 };
	const void *outer = NULL;
	struct loop_call e;
	void *w;

	if (EV_ENTER(e, ev_invoke_pending)) {
		library = library_of(e.real);
		outer = e.call.s->ev_loop;
		shim_leave(&e.call);
	}
	if (library && is_proven(library, l)) {
		set_calling(e.call.caller, l);
		while ((w = next_watcher(pendings_of(l), &known))) {
			call_watcher(library, l, w, e.call.caller);
		}
		set_calling(e.call.caller, outer);
	}
	LOOP_REAL(e, ev_invoke_pending)
	(l); /* the slots of those that were called; or all of them */
}

/* ---- watchers ---- */

static void ev_armed(struct loop_call *e, void *loop, void *watcher, unsigned kind)
{
	void *callback = callback_of(watcher, NULL);
	uint32_t id = task_loop(&e->call, loop, EV_LOOP_KIND);
	struct task *t = task_find(watcher, kind);

	if (t && t->kind != kind) {
		task_end(&e->call, t, TRACE_TASK_FINISHED);
		t = NULL;
	}
	if (!t || t->flags & TASK_ARMED) { /* armed, and yet started: its memory was made anew */
		t = task_new(&e->call, watcher, kind, id);
	}
	if (t) {
		t->flags |= TASK_ARMED | TASK_ENDS_WITH_LOOP;
		if (callback) {
			task_set_callback(t, 0, callback);
		}
		task_arm(&e->call, t, id, false);
	}
}

/* libev's own: it jumps to these functions at the end of some others, as if the host had called. */
static bool is_libevs(const void *watcher)
{
	const struct module *m = module_find((uintptr_t)callback_of(watcher, NULL));

	return m && m->loops == MODULE_EV;
}

static void ev_started(struct loop_call *e, void *loop, void *watcher, unsigned kind)
{
	if (!((const struct ev_watcher_head *)watcher)->active && !is_libevs(watcher)) {
		ev_armed(e, loop, watcher, kind);
	}
}

static void ev_stopped(struct loop_call *e, const void *watcher)
{
	const struct ev_library *library = e->is_inner ? library_of(e->real) : NULL;
	struct task *t = task_find(watcher, TRACE_TASK_EV_IO);

	if (t && (!library || library->layout == LAYOUT_OTHER)) {
		task_end(&e->call, t, TRACE_TASK_FINISHED);
	} else if (t) {
		t->flags &= (uint8_t)~TASK_ARMED; /* it is still called, once */
	}
}

static void ev_again(struct loop_call *e, void *loop, void *watcher, unsigned kind)
{
	bool active = ((const struct ev_watcher_head *)watcher)->active;
	struct task *t;

	if (!loop_enter_again(e)) {
		return;
	}
	t = task_find(watcher, kind);
	if (active) {
		if (t) {
			t->flags &= (uint8_t)~TASK_ARMED;
		}
		ev_armed(e, loop, watcher, kind);
	} else if (t) {
		task_end(&e->call, t, TRACE_TASK_FINISHED);
	}
	shim_leave(&e->call);
}

static void ev_sent(struct loop_call *e, const void *watcher)
{
	struct task *t = task_find(watcher, TRACE_TASK_EV_ASYNC);

	if (t && !e->is_inner) {
		task_arm(&e->call, t, 0, false);
	}
}

#include "../spec/primitives/ev.def"

CALLS_BACK static void run_once(int events, void *p)
{
	struct task_run run;

	if (task_called(&run, ARCH_CALLER(), p, TRACE_TASK_EV_ONCE, 0, TASK_IS_OVER)) {
		((void (*)(int, void *))(uintptr_t)run.callback)(events, run.argument);
		task_returned(&run, ARCH_CALLER());
	}
}

EXPORT void ev_once(void *l, int fd, int events, double after, void *cb, void *p)
{
	struct loop_call e;

	if (EV_ENTER(e, ev_once)) {
		struct task *t = e.is_inner || !cb
					 ? NULL
					 : loop_task_new(&e.call, TRACE_TASK_EV_ONCE,
							 task_loop(&e.call, l, EV_LOOP_KIND), cb,
							 p);

		if (t) { /* posted, or a wait for what need not happen? */
			t->flags |= fd < 0 && after >= 0 && after < 1e-6 ? 0 : TASK_ENDS_WITH_LOOP;
			cb = run_once;
			p = loop_argument(t);
		}
		shim_leave(&e.call);
	}
	LOOP_REAL(e, ev_once)(l, fd, events, after, cb, p);
}

/* ---- loops ---- */

static uint32_t loop_note(struct loop_call *e, const void *loop, unsigned step, int rc)
{
	uint32_t id = task_loop(&e->call, loop, EV_LOOP_KIND);

	task_loop_step(&e->call, id, step, rc);
	return id;
}

EXPORT int ev_run(void *l, int flags)
{
	struct loop_call e;
	bool seen = EV_ENTER(e, ev_run);
	int rc;

	if (seen) {
		task_drop_left(e.call.s, e.call.caller.sp);
		loop_note(&e, l, TRACE_LOOP_RUN, flags);
		shim_leave(&e.call);
	}
	rc = LOOP_REAL(e, ev_run)(l, flags);
	if (seen && loop_enter_again(&e)) {
		loop_note(&e, l, TRACE_LOOP_LEFT,
			  0); /* what is active waits for what need not come */
		shim_leave(&e.call);
	}
	return rc;
}

EXPORT void ev_break(void *l, int how)
{
	struct loop_call e;

	if (EV_ENTER(e, ev_break)) {
		if (how) {
			loop_note(&e, l, TRACE_LOOP_STOP, how);
		}
		shim_leave(&e.call);
	}
	LOOP_REAL(e, ev_break)(l, how);
}

/*
 * "It is your responsibility to either stop all watchers cleanly yourself before calling this function, or cope with the fact afterwards (…
 * ignore the watchers and/or free () them for example)", says libev's manual. So one that stays active is looked at again in the end: it
 * is leaked if it lies on the heap, and was not freed either.
 */
struct ending {
	uint32_t loop;
	uintptr_t heap_start, heap_end; /* of the main heap; end 0 = not looked for yet */
	bool left;			/* some may be leaked */
};

static bool is_on_heap(struct ending *e, uintptr_t address)
{
	uintptr_t end, low, high;

	if (!e->heap_end) {
		e->heap_start = e->heap_end = 1;
		end = (uintptr_t)sys1(SYS_brk, 0);
		if (end && module_mapping(end - 1, &low, &high)) {
			e->heap_start = low;
			e->heap_end = end;
		}
	}
	return address >= e->heap_start && address < e->heap_end;
}

static bool ends_with_loop(const struct task *t, const void *argument)
{
	struct ending *e = (struct ending *)(uintptr_t)argument;
	uintptr_t address = atomic_load_explicit(&t->address, memory_order_relaxed);

	if (!loop_ends_with(t, &e->loop)) {
		return false;
	}
	if (t->flags & TASK_ARMED && t->kind != TRACE_TASK_EV_CALLBACK && !(address & 1) &&
	    is_on_heap(e, address)) {
		task_watch_memory(address);
		e->left = true;
		return false;
	}
	return true;
}

EXPORT void ev_loop_destroy(void *l)
{
	struct loop_call e;

	if (EV_ENTER(e, ev_loop_destroy)) {
		struct ending ending = { .loop = task_loop(&e.call, l, EV_LOOP_KIND) };

		task_end_all(&e.call, TRACE_TASK_EV_IO, ends_with_loop, &ending);
		if (ending.left) {
			loop_note(&e, l, TRACE_LOOP_DROPPED, 0);
		}
		loop_note(&e, l, TRACE_LOOP_CLOSE, 0);
		shim_leave(&e.call);
	}
	LOOP_REAL(e, ev_loop_destroy)(l);
}
