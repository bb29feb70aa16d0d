/* SPDX-License-Identifier: MIT */
/*
 * py_gil.c - how long threads wait for the GIL: counts for each thread, in the trace while they are made (TF_DEF_GIL). The GIL is no lock of
 * the program's: no event tells of it, and no graph of locks has it.
 *
 * It is a flag, with a condition variable and a mutex behind it; a thread that wants it waits at the condition variable, five milliseconds at a
 * time. In the interpreter's own module nothing else waits there with a limit of time; and only where the two lie as the GIL's do is it taken for it.
 * While that mutex is held nobody takes the GIL or gives it back: before and after the real wait everything here is under it.
 */
#include "py.h"

#include "../shim_facts.h"
#include "../wrap.h"

/* The end of _gil_runtime_state of 3.9 to 3.14, and what lies before: read under its mutex. */
struct gil {
	uintptr_t holder; /* the thread state that took it last */
	_Atomic int locked;
	unsigned long switches;
	pthread_cond_t cond;
	pthread_mutex_t mutex;
};

struct gil_waiter {
	struct tf_def_gil *told; /* in the trace */
	uint32_t thread;	 /* whose it is */
	bool churns;	/* the thread is one of so many that its counts have no place for ever */
	uint64_t since; /* the wait under way: ticks; 0 = none */
};

enum { HOLDERS = 64 };

/* Thread states that were met: whose they are. One that is another thread's now is known by its stream. */
static struct {
	uintptr_t state;
	struct stream *stream; /* NULL = nobody that we know */
	uint32_t thread;
} holders[HOLDERS];

static struct tf_def_gil nowhere;   /* where counts go that have no place in the trace */
static struct tf_def_gil *of_ended; /* bounded mode: of threads that are over */
static uint32_t handle_at;	    /* of the pthread_t in a thread state; 0 = not known yet */

void py_gil_new_image(void)
{
	of_ended = NULL;
	__builtin_memset(holders, 0, sizeof(holders));
}

/* ---- the place of the counts ---- */

static struct tf_def_gil *define(uint32_t thread)
{
	struct tf_def_gil def = { .def.type = TF_DEF_GIL, .thread = thread };
	struct tf_def_gil *told = region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);

	return told ? told : &nowhere;
}

/* Bounded mode: the place is another such thread's from here on. */
static void hand_down(struct tf_def_gil *told, uint32_t thread)
{
	struct tf_def_gil old = *told;

	if (!of_ended) {
		of_ended = define(0);
	}
	told->waits = told->wait_ticks = told->longest_ticks = told->kept_ticks = 0;
	told->thread = thread;
	of_ended->waits += old.waits;
	of_ended->wait_ticks += old.wait_ticks;
	of_ended->kept_ticks += old.kept_ticks;
	if (old.longest_ticks > of_ended->longest_ticks) {
		of_ended->longest_ticks = old.longest_ticks;
	}
}

static struct gil_waiter *waiter_of(const struct stream *s)
{
	struct gil_waiter *w = atomic_load_explicit(&s->gil, memory_order_acquire);

	return likely(w && w->thread == s->thread) ? w : NULL;
}

/* SLOW, the guard held. */
static struct gil_waiter *waiter_find(struct stream *s)
{
	struct gil_waiter *w = atomic_load(&s->gil);
	bool churns;

	if (w && w->thread == s->thread) {
		return w;
	}
	w = w ? w : shim_alloc(sizeof(*w));
	if (!w) {
		return NULL;
	}
	churns = facts_are_wanted() && facts_thread_churns(s->thread);
	if (w->told && w->churns && churns) {
		hand_down(w->told, s->thread);
	} else {
		w->told = define(s->thread);
	}
	w->churns = churns;
	w->since = 0;
	w->thread = s->thread;
	for (unsigned i = 0; i < HOLDERS; i++) {
		holders[i].state = holders[i].stream ? holders[i].state : 0; /* it may be this */
	}
	atomic_store_explicit(&s->gil, w, memory_order_release);
	return w;
}

/* ---- who has it ---- */

/* Where a thread state has its thread's handle: ours has ours there. */
static void learn_handle_place(void)
{
	enum { FIRST = 3, WORDS = 30 };
	const uintptr_t *state = py_PyGILState_GetThisThreadState();

	for (uint32_t i = FIRST; state && i < WORDS && !handle_at; i++) {
		handle_at = state[i] == (uintptr_t)pthread_self() ? i * 8 : 0;
	}
}

/* SLOW, the guard held. */
static struct tf_def_gil *holder_find(uintptr_t state, unsigned slot)
{
	uintptr_t handle = 0;
	struct thread_entry *e = NULL;
	struct gil_waiter *w;
	struct stream *s;

	if (handle_at && module_read(state + handle_at, &handle, sizeof(handle))) {
		e = thread_find(handle);
	}
	s = e ? e->stream : NULL;
	w = s && s->thread == e->id && !s->ended ? waiter_find(s) : NULL;
	holders[slot].state = 0;
	holders[slot].stream = w ? s : NULL;
	holders[slot].thread = w ? w->thread : 0;
	holders[slot].state = state;
	return w ? w->told : &nowhere;
}

/* HOT on a hit. */
static struct tf_def_gil *holder_known(uintptr_t state, unsigned slot)
{
	const struct stream *s = holders[slot].stream;
	const struct gil_waiter *w;

	if (holders[slot].state != state) {
		return NULL;
	}
	if (!s) {
		return &nowhere;
	}
	w = s->thread == holders[slot].thread && !s->ended ? waiter_of(s) : NULL;
	return w ? w->told : NULL;
}

/* ---- waits ---- */

/* What is known of this thread and of who has the GIL; the long way. A wait inside a call that is muted is one, too. */
static bool look(struct arch_caller caller, uintptr_t state, unsigned slot,
		 struct gil_waiter **ret_waiter, struct tf_def_gil **ret_holder)
{
	struct stream *s = shim_stream;
	bool muted = s && s->busy == BUSY_MUTED;
	uintptr_t sp = muted ? s->busy_sp : 0;
	struct call call;

	if (muted) {
		s->busy = BUSY_NOT;
	}
	if (shim_enter_with(&call, caller, ROOM)) {
		if (!handle_at) {
			learn_handle_place();
		}
		*ret_waiter = waiter_find(call.s);
		*ret_holder = holder_find(state, slot);
		shim_leave(&call);
	} else {
		*ret_waiter = NULL;
	}
	if (muted) {
		s->busy_sp = sp;
		atomic_signal_fence(memory_order_seq_cst);
		s->busy = BUSY_MUTED;
	}
	return *ret_waiter != NULL;
}

static void add(uint64_t *count, uint64_t more)
{
	__atomic_store_n(count, *count + more, __ATOMIC_RELAXED);
}

int py_gil_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	const struct gil *gil =
		(const void *)((uintptr_t)cond - __builtin_offsetof(struct gil, cond));
	struct stream *s = shim_stream;
	struct gil_waiter *w = s ? waiter_of(s) : NULL;
	struct tf_def_gil *holder;
	uint64_t before, ticks;
	unsigned slot;
	int rc;

	if (mutex != &gil->mutex || !py.layout || atomic_load(&gil->locked) != 1) {
		return real_pthread_cond_timedwait(cond, mutex, until);
	}
	slot = (unsigned)(gil->holder * 0x9e3779b97f4a7c15u >> 58);
	holder = holder_known(gil->holder, slot);
	if (unlikely(!w || !holder) && !look(ARCH_CALLER(), gil->holder, slot, &w, &holder)) {
		return real_pthread_cond_timedwait(cond, mutex, until);
	}
	before = arch_ticks();
	if (!w->since) {
		w->since = before;
		add(&w->told->waits, 1);
	}
	rc = real_pthread_cond_timedwait(cond, mutex, until);
	ticks = arch_ticks() - before;
	ticks = (int64_t)ticks < 0 ? 0 : ticks; /* another processor's counter */
	add(&w->told->wait_ticks, ticks);
	add(&holder->kept_ticks, ticks);
	ticks += before - w->since;
	if (ticks > w->told->longest_ticks && (int64_t)ticks > 0) {
		add(&w->told->longest_ticks, ticks - w->told->longest_ticks);
	}
	if (!atomic_load(&gil->locked)) {
		w->since = 0; /* else it waits again, for the same */
	}
	return rc;
}
