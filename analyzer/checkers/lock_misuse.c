/* SPDX-License-Identifier: MIT */
/*
 * lock_misuse.c - calls on locks that the standard forbids: unlock by the wrong thread or of
 * nothing, lock twice, destroy in use, use after destroy.
 *
 * A result code of the library is proof. Without one, the recorder's view (event) and the model's
 * have to agree, and no records of the thread or of the lock's holder may be missing.
 */
#include "sites.h"
#include "task_origin.h"

#include <errno.h>
#include <stdlib.h>

#define OWNER_NONE 0u
#define OWNER_NEVER_SEEN UINT32_MAX

/* A thread whose lock was unlocked by another: its own unlock later is the same mistake. */
struct robbed {
	uint32_t thread, object;
};

enum { ROBBED_LIMIT = 1000 };

struct lock_misuse {
	struct sites *sites;
	struct robbed *robbed; /* owned */
	size_t robbed_count, robbed_capacity;
};

static void *lock_misuse_begin(struct analysis *a)
{
	struct lock_misuse *s = calloc(1, sizeof(*s));

	(void)a;
	if (!s)
		abort();
	s->sites = sites_new();
	return s;
}

static void lock_misuse_release(void *state)
{
	struct lock_misuse *s = state;

	sites_free(s->sites);
	free(s->robbed);
	free(s);
}

static void lock_misuse_finish(void *state, struct analysis *a)
{
	sites_commit(((struct lock_misuse *)state)->sites, a);
}

/* ---- unlock ---- */

static void note_robbed(struct lock_misuse *s, uint32_t thread, uint32_t object)
{
	for (size_t i = 0; i < s->robbed_count; i++) {
		if (s->robbed[i].thread == thread && s->robbed[i].object == object)
			return;
	}
	if (s->robbed_count == s->robbed_capacity) {
		s->robbed_capacity = s->robbed_capacity ? s->robbed_capacity * 2 : 8;
		s->robbed = realloc(s->robbed, s->robbed_capacity * sizeof(*s->robbed));
		if (!s->robbed)
			abort();
	}
	s->robbed[s->robbed_count++] = (struct robbed){ thread, object };
}

static bool was_robbed(struct lock_misuse *s, uint32_t thread, uint32_t object)
{
	for (size_t i = s->robbed_count; i-- > 0;) {
		if (s->robbed[i].thread != thread || s->robbed[i].object != object)
			continue;
		s->robbed[i] = s->robbed[--s->robbed_count];
		return true;
	}
	return false;
}

/* Who calls from Python is told by an exception, which the program may expect. */
static enum confidence confidence_of(struct analysis *a, const struct trace_event *event)
{
	return event->result == EPERM && task_origin_innermost(a, event->stack, false)
		       ? CONFIDENCE_POTENTIAL
		       : CONFIDENCE_OBSERVED;
}

static void report_not_owned(struct lock_misuse *s, struct analysis *a,
			     const struct trace_event *event, const struct model_step *step,
			     struct model_thread *owner)
{
	const struct model_held *hold = owner ? model_find_held(owner, event->object) : NULL;
	uint32_t owner_id = owner ? owner->id : 0;
	struct finding *f;

	if ((step->flags & MODEL_STEP_RELEASED) && step->loser) {
		note_robbed(s, step->loser->id, event->object);
		hold = &step->released;
		owner_id = step->loser->id;
	}
	f = sites_begin(s->sites, a, RULE_UNLOCK_NOT_OWNED, confidence_of(a, event), event->stack,
			event->object);
	if (!f)
		return;
	analysis_add_stack_now(a, f, ROLE_RELEASES, event->thread, event->object, event->stack,
			       event->time_ns);
	if (hold)
		analysis_add_stack(a, f, ROLE_HOLDS, owner_id, event->object, hold->stack,
				   hold->time_ns, NULL, 0);
	if (owner_id) {
		analysis_add_thread(a, f, owner_id);
		f->title = analysis_printf(a,
					   "{thread:%u} unlocks {lock:%u}, which {thread:%u} holds",
					   event->thread, event->object, owner_id);
	} else {
		f->title = analysis_printf(
			a, "{thread:%u} unlocks {lock:%u}, which another thread holds",
			event->thread, event->object);
	}
	f->message = analysis_printf(
		a, "%s. %s", f->title,
		event->result == 0
			? "The call went through, so the lock no longer protects what its holder is doing."
			: "The call was refused and the lock stays locked.");
}

static void report_not_locked(struct lock_misuse *s, struct analysis *a,
			      const struct trace_event *event)
{
	struct finding *f;

	if (was_robbed(s, event->thread, event->object))
		return;
	f = sites_begin(s->sites, a, RULE_UNLOCK_NOT_LOCKED, confidence_of(a, event), event->stack,
			event->object);
	if (!f)
		return;
	analysis_add_stack_now(a, f, ROLE_RELEASES, event->thread, event->object, event->stack,
			       event->time_ns);
	f->title = analysis_printf(a, "{thread:%u} unlocks {lock:%u}, which nobody holds",
				   event->thread, event->object);
	f->message = analysis_printf(
		a, "%s. %s", f->title,
		event->result == 0
			? "The behaviour is undefined: the lock may be corrupt from here on."
			: "The call was refused.");
}

/* A Lock of Python's may be released by any thread, but not while it is free. */
static bool is_ownable(const struct model_object *o, const struct trace_event *event)
{
	return o->kind == TRACE_OBJECT_MUTEX || o->kind == TRACE_OBJECT_RWLOCK ||
	       o->kind == TRACE_OBJECT_SPIN ||
	       (o->kind == TRACE_OBJECT_SEM && event->result == EPERM);
}

static void on_odd_release(struct lock_misuse *s, struct analysis *a,
			   const struct trace_event *event, const struct model_step *step)
{
	uint32_t owner_id = (uint32_t)event->arg;
	struct model_thread *owner =
		owner_id == OWNER_NEVER_SEEN ? NULL : model_get_thread(a->model, owner_id);

	if (!is_ownable(step->object, event) || task_origin_is_library_code(a, event->stack) ||
	    step->thread->uncertain || (step->flags & MODEL_STEP_OWNER_LOST) ||
	    (owner && owner->uncertain))
		return;
	if (owner_id == event->thread)
		return; /* its own lock, refused for another reason */
	if ((step->flags & MODEL_STEP_RELEASED) && step->loser == step->thread)
		return; /* it came with a task, or was handed over */
	/* Somebody holds it by the model: a reader, or an owner the recorder does not know. */
	if (!owner && step->loser && step->loser != step->thread)
		owner = step->loser;
	if (!owner && event->result == EPERM && step->owner_before &&
	    step->owner_before != event->thread)
		owner = model_get_thread(a->model, step->owner_before);
	if (owner && owner != step->thread)
		report_not_owned(s, a, event, step, owner);
	else if (owner_id == OWNER_NONE || event->result == EPERM ||
		 step->object->flags & MODEL_INIT)
		report_not_locked(s, a, event);
}

/* ---- lock twice ---- */

/* A timed wait for a lock that only the waiting thread itself could release. */
static bool waited_for_itself(const struct trace_event *event, const struct model_step *step,
			      const struct model_held *hold)
{
	bool readers_only = (hold->flags & MODEL_HOLD_SHARED) && (event->arg & TRACE_MODE_SHARED);

	return event->result == ETIMEDOUT && !readers_only && !step->thread->uncertain &&
	       is_ownable(step->object, event);
}

static void on_acquire_fail(struct lock_misuse *s, struct analysis *a,
			    const struct trace_event *event, const struct model_step *step)
{
	const struct model_held *hold = model_find_held(step->thread, event->object);
	struct finding *f;

	if (!hold || (event->result != EDEADLK && !waited_for_itself(event, step, hold)))
		return;
	f = sites_begin(s->sites, a, RULE_DOUBLE_LOCK, CONFIDENCE_OBSERVED, event->stack,
			event->object);
	if (!f)
		return;
	analysis_add_stack_now(a, f, ROLE_ACQUIRES, event->thread, event->object, event->stack,
			       event->time_ns);
	analysis_add_stack(a, f, ROLE_HOLDS, event->thread, event->object, hold->stack,
			   hold->time_ns, NULL, 0);
	f->title = analysis_printf(a, "{thread:%u} locks {lock:%u}, which it holds already",
				   event->thread, event->object);
	f->message = analysis_printf(
		a, "%s. %s", f->title,
		event->result == EDEADLK
			? "The call was refused (EDEADLK); with an ordinary lock the thread would wait for "
			  "itself for ever."
			: "The call timed out (ETIMEDOUT), and always will: nobody but the thread itself can "
			  "unlock it. Without a timeout it would wait for ever.");
}

/* ---- destroy ---- */

static uint32_t count_blocked_takers(const struct analysis *a, const struct model_object *o)
{
	uint32_t count = 0;

	if (!o->detail || o->detail->sem.value > 0)
		return 0; /* they are free to go */
	for (size_t i = 0; i < a->model->thread_count; i++)
		if (a->model->threads[i] && a->model->threads[i]->request.object == o->id)
			count++;
	return count;
}

/* Waiters that no signal reached; those with a timeout may be on their way out. */
static uint32_t count_blocked_waiters(const struct model_object *o)
{
	uint32_t lasting = 0;

	if (!o->detail)
		return 0;
	for (uint32_t i = 0; i < o->detail->cond.waiter_count; i++)
		lasting += !o->detail->cond.waiter[i].timed;
	return lasting > o->detail->cond.woken ? lasting - o->detail->cond.woken : 0;
}

static struct finding *begin_destroyed(struct lock_misuse *s, struct analysis *a,
				       const struct trace_event *event, enum confidence confidence)
{
	struct finding *f = sites_begin(s->sites, a, RULE_DESTROY_LOCKED, confidence, event->stack,
					event->object);

	if (f)
		analysis_add_stack(a, f, ROLE_DESTROYS, event->thread, event->object, event->stack,
				   event->time_ns, NULL, 0);
	return f;
}

static void report_destroyed_held(struct lock_misuse *s, struct analysis *a,
				  const struct trace_event *event,
				  const struct model_thread *holder, const struct model_held *hold,
				  enum confidence confidence)
{
	const char *how = event->op == TRACE_GONE ? "frees the memory of" : "destroys";
	struct finding *f;

	if (holder && (holder->state == MODEL_THREAD_OVER || holder->state == MODEL_THREAD_ENDED))
		return; /* lock-held-at-thread-exit is the root of it */
	f = begin_destroyed(s, a, event, confidence);
	if (!f)
		return;
	if (holder && hold)
		analysis_add_stack(a, f, ROLE_HOLDS, holder->id, event->object, hold->stack,
				   hold->time_ns, NULL, 0);
	if (holder && holder->id != event->thread)
		f->title = analysis_printf(a, "{thread:%u} %s {lock:%u} while {thread:%u} holds it",
					   event->thread, how, event->object, holder->id);
	else if (holder)
		f->title = analysis_printf(a, "{thread:%u} %s {lock:%u} while holding it",
					   event->thread, how, event->object);
	else
		f->title = analysis_printf(a, "{thread:%u} %s {lock:%u} while it is locked",
					   event->thread, how, event->object);
	f->message = analysis_printf(
		a, "%s. %s", f->title,
		event->result ? "The call was refused (EBUSY)."
			      : "Whoever unlocks it or waits for it works on dead memory.");
}

static void report_destroyed_waited(struct lock_misuse *s, struct analysis *a,
				    const struct trace_event *event, const struct model_object *o)
{
	struct finding *f = begin_destroyed(s, a, event, CONFIDENCE_OBSERVED);

	if (!f)
		return;
	for (uint32_t i = 0;
	     o->kind == TRACE_OBJECT_COND && i < o->detail->cond.waiter_count && i < 8; i++) {
		const struct model_site *site = &o->detail->cond.waiter[i].site;

		analysis_add_stack(a, f, ROLE_WAITS, site->thread, o->id, site->stack,
				   site->time_ns, NULL, 0);
	}
	for (size_t i = 0; o->kind == TRACE_OBJECT_SEM && i < a->model->thread_count; i++) {
		const struct model_thread *t = a->model->threads[i];

		if (t && t->request.object == o->id)
			analysis_add_stack(a, f, ROLE_WAITS, t->id, o->id, t->request.stack,
					   t->request.time_ns, NULL, 0);
	}
	f->title = analysis_printf(a, "{thread:%u} destroys {lock:%u} while threads wait on it",
				   event->thread, o->id);
	f->message = analysis_printf(a, "%s. Nobody can wake them properly any more.", f->title);
}

/* Someone who holds it still; after a successful destroy the model has taken it away already. */
static const struct model_held *find_holder(const struct analysis *a, const struct model_step *step,
					    struct model_thread **ret_holder)
{
	size_t iterator = 0;

	*ret_holder = step->loser;
	if (step->flags & MODEL_STEP_RELEASED)
		return &step->released;
	*ret_holder = model_next_holder(a->model, step->object->id, &iterator);
	return *ret_holder ? model_find_held(*ret_holder, step->object->id) : NULL;
}

static void on_destroy(struct lock_misuse *s, struct analysis *a, const struct trace_event *event,
		       const struct model_step *step)
{
	const struct model_object *o = step->object;
	const struct model_held *hold;
	struct model_thread *holder;

	if (o->kind == TRACE_OBJECT_COND || o->kind == TRACE_OBJECT_SEM) {
		uint32_t blocked = o->kind == TRACE_OBJECT_COND ? count_blocked_waiters(o)
								: count_blocked_takers(a, o);

		if (event->result == EBUSY || ((event->arg & TRACE_DESTROY_WAITED) && blocked))
			report_destroyed_waited(s, a, event, o);
		return;
	}
	if (!is_ownable(o, event))
		return;
	hold = find_holder(a, step, &holder);
	if (event->result == EBUSY || ((event->arg & TRACE_DESTROY_LOCKED) && hold))
		report_destroyed_held(s, a, event, holder, hold, CONFIDENCE_OBSERVED);
}

/* free() of a structure with a locked lock in it: often only untidy, so a hint. */
static void on_gone(struct lock_misuse *s, struct analysis *a, const struct trace_event *event,
		    const struct model_step *step)
{
	if (event->arg != TRACE_GONE_FREED || !(step->flags & MODEL_STEP_RELEASED) ||
	    !is_ownable(step->object, event) || a->model->exit_kind)
		return;
	report_destroyed_held(s, a, event, step->loser, &step->released, CONFIDENCE_HINT);
}

/* ---- use after destroy ---- */

/* NULL = nothing wrong: what was going on when the object was destroyed may come to its end. */
static const char *verb_of(unsigned op)
{
	switch (op) {
	case TRACE_REQUEST:
	case TRACE_ACQUIRE:
	case TRACE_ACQUIRE_SHARED:
	case TRACE_ACQUIRE_TRY:
	case TRACE_ACQUIRE_TRY_SHARED:
	case TRACE_ACQUIRE_TIMED:
	case TRACE_ACQUIRE_TIMED_SHARED:
	case TRACE_ACQUIRE_OWNERDEAD:
	case TRACE_ACQUIRE_FAIL:
		return "takes";
	case TRACE_RELEASE:
	case TRACE_RELEASE_ODD:
		return "unlocks";
	case TRACE_COND_WAIT:
	case TRACE_BARRIER_ARRIVE:
		return "waits on";
	case TRACE_COND_SIGNAL:
	case TRACE_COND_BROADCAST:
		return "signals";
	case TRACE_POST:
		return "posts";
	case TRACE_DESTROY:
		return "destroys";
	default: /* COND_WAKE, BARRIER_LEAVE, INIT, ... */
		return NULL;
	}
}

#define ON_ITS_WAY_NS UINT64_C(10000000)

/*
 * A timed wait that began before the destroy and ran out long after it: nobody had woken the thread, so the
 * condition variable was destroyed with a waiter on it.
 */
static void on_wake_after_destroy(struct lock_misuse *s, struct analysis *a,
				  const struct trace_event *event, const struct model_step *step)
{
	const struct model_detail *d = step->object->detail;
	const struct model_site *wait = &step->waited.site;
	struct finding *f;

	if (event->result != ETIMEDOUT || !d || a->model->exit_kind || !wait->thread ||
	    wait->time_ns >= d->destroy.time_ns ||
	    event->time_ns < d->destroy.time_ns + ON_ITS_WAY_NS)
		return;
	f = sites_begin(s->sites, a, RULE_DESTROY_LOCKED, CONFIDENCE_OBSERVED, d->destroy.stack,
			event->object);
	if (!f)
		return;
	analysis_add_stack(a, f, ROLE_DESTROYS, d->destroy.thread, event->object, d->destroy.stack,
			   d->destroy.time_ns, NULL, 0);
	analysis_add_stack(a, f, ROLE_WAITS, wait->thread, event->object, wait->stack,
			   wait->time_ns, NULL, 0);
	f->title = analysis_printf(a,
				   "{thread:%u} destroys {lock:%u} while {thread:%u} waits on it",
				   d->destroy.thread, event->object, wait->thread);
	f->message = analysis_printf(
		a, "%s. The wait ended by its timeout alone, %.1f ms after the destroy.", f->title,
		(double)(event->time_ns - d->destroy.time_ns) / 1e6);
}

static void on_use_after_destroy(struct lock_misuse *s, struct analysis *a,
				 const struct trace_event *event, const struct model_step *step)
{
	const struct model_object *o = step->object;
	/*
	 * At exit, destructors of static objects run while other threads still work: common and
	 * mostly harmless.
	 */
	enum confidence confidence = a->model->exit_kind ? CONFIDENCE_HINT : CONFIDENCE_OBSERVED;
	struct finding *f;

	if (event->op == TRACE_COND_WAKE)
		on_wake_after_destroy(s, a, event, step);
	if ((step->flags & MODEL_STEP_REQUESTED) || !verb_of(event->op))
		return; /* with REQUESTED, the request said so */
	f = sites_begin(s->sites, a, RULE_USE_AFTER_DESTROY, confidence, event->stack,
			event->object);
	if (!f)
		return;
	analysis_add_stack_now(a, f, ROLE_ACCESSES, event->thread, event->object, event->stack,
			       event->time_ns);
	if (o->detail)
		analysis_add_stack(a, f, ROLE_DESTROYS, o->detail->destroy.thread, event->object,
				   o->detail->destroy.stack, o->detail->destroy.time_ns, NULL, 0);
	f->title = analysis_printf(a, "{thread:%u} %s {lock:%u} after it was destroyed%s",
				   event->thread, verb_of(event->op), event->object,
				   a->model->exit_kind ? ", while the process exits" : "");
	f->message =
		analysis_printf(a, "%s.%s", f->title,
				event->op == TRACE_ACQUIRE_FAIL || event->op == TRACE_RELEASE_ODD
					? " The call was refused, so nothing is protected."
					: "");
}

static void lock_misuse_on_event(void *state, struct analysis *a, const struct trace_event *event,
				 const struct model_step *step)
{
	struct lock_misuse *s = state;

	if (!step->object)
		return;
	/* Its holder let go of it unseen, in a function that is not hooked, and has it back perhaps. */
	if ((step->flags & MODEL_STEP_TAKEN_OVER) && step->loser && s->robbed_count < ROBBED_LIMIT)
		note_robbed(s, step->loser->id, event->object);
	if (event->op == TRACE_GONE) {
		on_gone(s, a, event, step);
		return;
	}
	if (step->flags & MODEL_STEP_AFTER_DESTROY) {
		on_use_after_destroy(s, a, event, step);
		return;
	}
	switch (event->op) {
	case TRACE_RELEASE_ODD:
		on_odd_release(s, a, event, step);
		break;
	case TRACE_ACQUIRE_FAIL:
		on_acquire_fail(s, a, event, step);
		break;
	case TRACE_DESTROY:
		on_destroy(s, a, event, step);
		break;
	default: /* not subscribed */
		break;
	}
}

#define OP(op) CHECKER_OP(TRACE_##op)

const struct checker checker_lock_misuse = {
	.name = "lock_misuse",
	.consumes = OP(ACQUIRE_FAIL) | OP(RELEASE_ODD) | OP(DESTROY) | OP(GONE),
	.on_flags = MODEL_STEP_AFTER_DESTROY | MODEL_STEP_TAKEN_OVER,
	.begin = lock_misuse_begin,
	.on_event = lock_misuse_on_event,
	.finish = lock_misuse_finish,
	.release = lock_misuse_release,
};
