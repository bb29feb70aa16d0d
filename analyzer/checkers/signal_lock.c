/* SPDX-License-Identifier: MIT */
/*
 * signal_lock.c - rule signal-handler-lock: a lock that a signal handler waits for, and that other code holds while
 * that signal can arrive. What lockdep's rule for interrupts is in a kernel.
 *
 * For each lock: where handlers take it, by signal; and which signals were unblocked while it was
 * held, with one place for each. A signal counts as arriving only while it has a handler, as
 * far as installing it was seen: locks used before are no danger. A trace without stacks of handlers, nearly
 * every one, costs nothing.
 */
#include "../checker.h"
#include "../signal_name.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PLACES 4096u

/* Where a handler takes a lock, waiting for it if it has to. */
struct taking {
	uint32_t object, next; /* next: index in the table, 0 = end */
	uint32_t signal;       /* 0 = not known */
	bool shared;
	struct model_site site; /* the first time */
	uint64_t count;
};

/* A hold during which some signals could arrive that could not in any hold of that lock before. */
struct exposure {
	uint32_t next;
	bool shared;
	uint64_t unblocked, handled; /* then, bit n - 1 = signal n */
	struct model_site site;
};

struct lock_facts {
	uint32_t taking, exposure; /* first of its chain, 0 = none */
	/* By mode of the hold: all that its exposures have; of them with a handler at the time. */
	uint64_t unblocked[2], arriving[2];
};

struct signal_lock {
	bool active;		  /* some stack of the trace is a handler's */
	struct lock_facts *facts; /* owned; by object; NULL unless active */
	struct taking *taking;	  /* owned; entry 0 unused */
	struct exposure *exposure;
	uint32_t taking_count, exposure_count, taking_room, exposure_room;
	uint64_t ever_handled; /* signals that had a handler at some time */
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static uint64_t bit(uint32_t signal)
{
	return signal >= 1 && signal <= 64 ? UINT64_C(1) << (signal - 1) : 0;
}

static bool has_handler_stacks(const struct trace_process *p)
{
	for (size_t i = 1; i < p->stack_count && p->stacks; i++)
		if (p->stacks[i].handler_frames)
			return true;
	return false;
}

static void *signal_lock_begin(struct analysis *a)
{
	struct signal_lock *s = checked(calloc(1, sizeof(*s)));

	s->active = has_handler_stacks(a->process);
	if (s->active)
		s->facts = checked(calloc(a->model->object_count, sizeof(*s->facts)));
	s->taking_count = s->exposure_count = 1;
	return s;
}

static void signal_lock_release(void *state)
{
	struct signal_lock *s = state;

	free(s->facts);
	free(s->taking);
	free(s->exposure);
	free(s);
}

/* Room for one more at *count; false when there are too many to be worth it. */
static bool make_room(void **table, uint32_t count, uint32_t *room, size_t bytes)
{
	if (count >= MAX_PLACES)
		return false;
	if (count >= *room) {
		*room = *room ? *room * 2 : 64;
		*table = checked(realloc(*table, *room * bytes));
	}
	return true;
}

/* ---- what happens ---- */

static const struct trace_stack *handler_stack(const struct analysis *a, uint32_t stack)
{
	const struct trace_stack *found = model_get_stack(a->model, stack);

	return found && found->handler_frames ? found : NULL;
}

static void note_taking(struct signal_lock *s, const struct trace_event *event, uint32_t signal,
			bool shared)
{
	struct lock_facts *facts = &s->facts[event->object];
	struct taking *t;

	for (uint32_t i = facts->taking; i; i = t->next) {
		t = &s->taking[i];
		if (t->signal == signal && t->site.stack == event->stack && t->shared == shared) {
			t->count++;
			return;
		}
	}
	if (!make_room((void **)&s->taking, s->taking_count, &s->taking_room, sizeof(*s->taking)))
		return;
	s->taking[s->taking_count] =
		(struct taking){ .object = event->object,
				 .next = facts->taking,
				 .signal = signal,
				 .shared = shared,
				 .site = { event->thread, event->stack, event->time_ns },
				 .count = 1 };
	facts->taking = s->taking_count++;
}

/* `unblocked`: signals that can interrupt this hold now. */
static void note_exposure(struct signal_lock *s, const struct analysis *a,
			  const struct model_thread *t, const struct model_held *hold,
			  uint64_t unblocked)
{
	struct lock_facts *facts = &s->facts[hold->object];
	bool shared = hold->flags & MODEL_HOLD_SHARED;
	uint64_t handled = a->model->handled_signals;

	if (!(unblocked & ~facts->unblocked[shared]) &&
	    !(unblocked & handled & ~facts->arriving[shared]))
		return;
	if (!make_room((void **)&s->exposure, s->exposure_count, &s->exposure_room,
		       sizeof(*s->exposure)))
		return;
	facts->unblocked[shared] |= unblocked;
	facts->arriving[shared] |= unblocked & handled;
	s->exposure[s->exposure_count] =
		(struct exposure){ .next = facts->exposure,
				   .shared = shared,
				   .unblocked = unblocked,
				   .handled = handled,
				   .site = { t->id, hold->stack, hold->time_ns } };
	facts->exposure = s->exposure_count++;
}

static void expose(struct signal_lock *s, const struct analysis *a, const struct model_thread *t,
		   const struct model_held *hold)
{
	note_exposure(s, a, t, hold, ~model_signal_mask(a->model, t, hold->stack));
}

static void expose_all(struct signal_lock *s, const struct analysis *a,
		       const struct model_thread *t)
{
	for (uint32_t i = 0; t && i < t->held_count; i++)
		expose(s, a, t, &t->held[i]);
}

/* The handler runs: whatever its thread believed to block, that signal did arrive. */
static void on_handler(struct signal_lock *s, const struct analysis *a,
		       const struct model_step *step, uint32_t signal)
{
	for (uint32_t i = 0; i < step->thread->held_count; i++) {
		const struct model_held *hold = &step->thread->held[i];

		if (!handler_stack(a, hold->stack))
			note_exposure(s, a, step->thread, hold, bit(signal));
	}
}

static void on_request(struct signal_lock *s, const struct analysis *a,
		       const struct trace_event *event, const struct model_step *step)
{
	const struct trace_stack *stack = handler_stack(a, event->stack);

	if (!stack)
		return;
	on_handler(s, a, step, stack->signal);
	if (!(event->arg & (TRACE_MODE_TRY | TRACE_MODE_TIMED)))
		note_taking(s, event, stack->signal, event->arg & TRACE_MODE_SHARED);
}

static bool waits_for_it(const struct trace_event *event)
{
	return event->op == TRACE_ACQUIRE || event->op == TRACE_ACQUIRE_SHARED ||
	       (event->op == TRACE_ACQUIRE_OWNERDEAD &&
		!(event->arg & (TRACE_MODE_TRY | TRACE_MODE_TIMED)));
}

static void on_hold(struct signal_lock *s, const struct analysis *a,
		    const struct trace_event *event, const struct model_step *step)
{
	const struct trace_stack *stack = handler_stack(a, event->stack);

	if (stack && waits_for_it(event)) {
		on_handler(s, a, step, stack->signal);
		note_taking(s, event, stack->signal, event->op == TRACE_ACQUIRE_SHARED);
	}
	if (step->flags & MODEL_STEP_HOLD)
		expose(s, a, step->thread, &step->thread->held[step->thread->held_count - 1]);
}

static void signal_lock_on_event(void *state, struct analysis *a, const struct trace_event *event,
				 const struct model_step *step)
{
	struct signal_lock *s = state;

	if (__builtin_expect(!s->active, 1))
		return;
	switch (event->op) {
	case TRACE_SIGNAL_MASK:
		expose_all(s, a, step->thread);
		break;
	case TRACE_SIGNAL_ACTION:
		s->ever_handled |= a->model->handled_signals;
		for (size_t i = 1; i < a->model->thread_count; i++)
			expose_all(s, a, a->model->threads[i]);
		break;
	case TRACE_REQUEST:
		if (step->object)
			on_request(s, a, event, step);
		break;
	default:
		if (step->flags & (MODEL_STEP_HOLD | MODEL_STEP_DEPTH) && step->object)
			on_hold(s, a, event, step);
		break;
	}
}

/* ---- what it comes to ---- */

/*
 * A mutex that its own thread may lock again, or is told so, does not hang: it only lets the handler
 * see data that its user is in the midst of changing.
 */
static bool hangs_its_owner(const struct model_object *o)
{
	uint32_t type = o->attributes & TF_MUTEX_TYPE_MASK;

	return o->kind != TRACE_OBJECT_MUTEX || !(o->flags & MODEL_ATTRIBUTES) ||
	       (type != 1 /* recursive */ && type != 2 /* error checking */);
}

static bool is_waited_for(const struct model_object *o)
{
	return o && (o->kind == TRACE_OBJECT_MUTEX || o->kind == TRACE_OBJECT_RWLOCK ||
		     o->kind == TRACE_OBJECT_SPIN ||
		     (o->kind == TRACE_OBJECT_SEM && model_object_is_lock(o)));
}

/* Readers do not wait for readers, unless a writer stands between. */
static bool excludes(const struct model_object *o, const struct taking *t, const struct exposure *e)
{
	return !t->shared || !e->shared ||
	       (model_object_prefers_writer(o) && (o->flags & MODEL_EVER_WRITTEN));
}

/* Could the signal of `t` arrive in the hold `e`? */
static bool arrives(const struct signal_lock *s, const struct model *m, const struct taking *t,
		    const struct exposure *e)
{
	uint64_t could = 0;

	if (t->signal)
		return bit(t->signal) & e->unblocked &
		       (m->known_signals & bit(t->signal) ? e->handled : UINT64_MAX);
	/* Not known which: then every signal that it can be. */
	for (uint32_t n = 1; n <= 64; n++)
		if (s->ever_handled & bit(n) && !signal_is_crash(n))
			could |= bit(n);
	return could ? !(could & ~(e->unblocked & e->handled)) : e->unblocked == UINT64_MAX;
}

static const struct exposure *find_exposure(const struct signal_lock *s, const struct model *m,
					    const struct model_object *o, const struct taking *t)
{
	const struct exposure *found = NULL;

	for (uint32_t i = s->facts[t->object].exposure; i; i = s->exposure[i].next) {
		const struct exposure *e = &s->exposure[i];

		if (excludes(o, t, e) && arrives(s, m, t, e))
			found = e; /* the oldest */
	}
	return found;
}

/* It did happen: rule self-deadlock has it. */
static bool is_observed(const struct analysis *a, const struct taking *t)
{
	for (size_t i = 0; i < a->process->wait_count; i++) {
		const struct trace_wait_state *w = &a->process->waits[i];
		const struct model_thread *thread = model_get_thread(a->model, w->thread);

		if (thread && w->wait.object == t->object && handler_stack(a, w->wait.stack) &&
		    (w->wait.kind == TRACE_WAIT_LOCK || w->wait.kind == TRACE_WAIT_SEM) &&
		    model_find_held(thread, t->object))
			return true;
	}
	return false;
}

static const char *handler_of(struct analysis *a, const struct taking *t)
{
	char name[SIGNAL_NAME_BYTES];

	if (!t->signal)
		return "a signal handler";
	return analysis_printf(a, "a handler of %s", signal_name(t->signal, name));
}

static void report(struct analysis *a, const struct taking *t, const struct exposure *e,
		   enum confidence confidence)
{
	struct finding *f = analysis_begin(a, RULE_SIGNAL_HANDLER_LOCK, confidence);
	const char *handler = handler_of(a, t), *signal = "the signal";
	char name[SIGNAL_NAME_BYTES];

	if (t->signal)
		signal = analysis_printf(a, "%s", signal_name(t->signal, name));
	f->count = t->count;
	analysis_add_stack(a, f, ROLE_ACQUIRES, t->site.thread, t->object, t->site.stack,
			   t->site.time_ns, NULL, 0)
		->note = analysis_printf(a, "in %s", handler);
	analysis_add_stack(a, f, ROLE_HOLDS, e->site.thread, t->object, e->site.stack,
			   e->site.time_ns, NULL, 0)
		->note = analysis_printf(a, "held with %s not blocked", signal);
	f->title = analysis_printf(
		a, "{lock:%u} is taken in %s, and elsewhere held while %s can arrive", t->object,
		handler, signal);
	f->message = analysis_printf(
		a,
		confidence != CONFIDENCE_HINT
			? "%s. If it arrives in the thread that holds the lock, the handler waits for what it interrupted: for ever."
			: "%s. If it arrives in the thread that holds the lock, the handler waits for it, or works on what is half done.",
		f->title);
	analysis_commit(a, f);
}

static void signal_lock_finish(void *state, struct analysis *a)
{
	struct signal_lock *s = state;

	for (uint32_t i = 1; i < s->taking_count; i++) {
		const struct taking *t = &s->taking[i];
		const struct model_object *o = model_get_object(a->model, t->object);
		const struct exposure *e = is_waited_for(o) ? find_exposure(s, a->model, o, t)
							    : NULL;

		if (!e || is_observed(a, t))
			continue;
		report(a, t, e,
		       hangs_its_owner(o) && !signal_is_crash(t->signal) ? CONFIDENCE_POTENTIAL
									 : CONFIDENCE_HINT);
	}
}

const struct checker checker_signal_lock = {
	.name = "signal_lock",
	.consumes = CHECKER_OP(TRACE_REQUEST) | CHECKER_OP(TRACE_ACQUIRE) |
		    CHECKER_OP(TRACE_ACQUIRE_SHARED) | CHECKER_OP(TRACE_ACQUIRE_OWNERDEAD) |
		    CHECKER_OP(TRACE_SIGNAL_MASK) | CHECKER_OP(TRACE_SIGNAL_ACTION),
	.on_flags = MODEL_STEP_HOLD,
	.begin = signal_lock_begin,
	.on_event = signal_lock_on_event,
	.finish = signal_lock_finish,
	.release = signal_lock_release,
};
