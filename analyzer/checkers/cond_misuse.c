/* SPDX-License-Identifier: MIT */
/*
 * cond_misuse.c - condition waits with a mutex that is not held, or with two mutexes at the same
 * time.
 */
#include "sites.h"

static void *cond_misuse_begin(struct analysis *a)
{
	(void)a;
	return sites_new();
}

static void cond_misuse_release(void *state)
{
	sites_free(state);
}

static void cond_misuse_finish(void *state, struct analysis *a)
{
	sites_commit(state, a);
}

static void report_unlocked(struct sites *sites, struct analysis *a,
			    const struct trace_event *event)
{
	const struct model_object *mutex = model_get_object(a->model, event->other);
	struct finding *f = sites_begin(sites, a, RULE_COND_WAIT_UNLOCKED, CONFIDENCE_OBSERVED,
					event->stack, event->object);

	if (!f)
		return;
	analysis_add_stack_now(a, f, ROLE_WAITS, event->thread, event->object, event->stack,
			       event->time_ns);
	analysis_add_lock(a, f, event->other);
	if (mutex && mutex->owner && mutex->owner != event->thread) {
		struct model_thread *owner = model_get_thread(a->model, mutex->owner);
		const struct model_held *hold = owner ? model_find_held(owner, event->other) : NULL;

		if (hold)
			analysis_add_stack(a, f, ROLE_HOLDS, owner->id, event->other, hold->stack,
					   hold->time_ns, NULL, 0);
	}
	f->title = analysis_printf(a, "{thread:%u} waits on {lock:%u} without holding {lock:%u}",
				   event->thread, event->object, event->other);
	f->message = analysis_printf(
		a,
		"%s. A signal between its look at the condition and the wait is lost, and the wait "
		"unlocks a mutex that is not its own.",
		f->title);
}

/* A waiter that is certainly still asleep with another mutex; NULL = none. */
static const struct model_cond_waiter *find_other_mutex(const struct model_cond *c, uint32_t thread,
							uint32_t mutex)
{
	const struct model_cond_waiter *other = NULL;
	uint32_t count = 0;

	for (uint32_t i = 0; i < c->waiter_count; i++) {
		if (c->waiter[i].site.thread == thread || c->waiter[i].mutex == mutex)
			continue;
		other = &c->waiter[i];
		count++;
	}
	/*
	 * As many as were signalled may be on their way out: then the condvar is free to change
	 * mutexes.
	 */
	return count > c->woken ? other : NULL;
}

static void report_wrong_mutex(struct sites *sites, struct analysis *a,
			       const struct trace_event *event,
			       const struct model_cond_waiter *other)
{
	struct finding *f = sites_begin(sites, a, RULE_COND_WAIT_WRONG_MUTEX, CONFIDENCE_OBSERVED,
					event->stack, event->object);

	if (!f)
		return;
	analysis_add_stack_now(a, f, ROLE_WAITS, event->thread, event->object, event->stack,
			       event->time_ns);
	analysis_add_stack(a, f, ROLE_WAITS, other->site.thread, event->object, other->site.stack,
			   other->site.time_ns, NULL, 0);
	analysis_add_lock(a, f, event->other);
	analysis_add_lock(a, f, other->mutex);
	f->title = analysis_printf(
		a,
		"{thread:%u} waits on {lock:%u} with {lock:%u} while {thread:%u} waits on it with "
		"{lock:%u}",
		event->thread, event->object, event->other, other->site.thread, other->mutex);
	f->message = analysis_printf(
		a,
		"%s. The behaviour is undefined: all concurrent waits on a condition variable have to "
		"use one mutex.",
		f->title);
}

static void cond_misuse_on_event(void *state, struct analysis *a, const struct trace_event *event,
				 const struct model_step *step)
{
	const struct model_cond_waiter *other;

	if (!step->object || step->object->kind != TRACE_OBJECT_COND || !step->object->detail)
		return;
	if ((event->arg & TRACE_MODE_UNLOCKED) && !step->thread->waiting.was_held &&
	    !step->thread->uncertain && !(step->other && (step->other->flags & MODEL_OWNER_LOST)))
		report_unlocked(state, a, event);
	other = find_other_mutex(&step->object->detail->cond, event->thread, event->other);
	if (other)
		report_wrong_mutex(state, a, event, other);
}

const struct checker checker_cond_misuse = {
	.name = "cond_misuse",
	.consumes = CHECKER_OP(TRACE_COND_WAIT),
	.begin = cond_misuse_begin,
	.on_event = cond_misuse_on_event,
	.finish = cond_misuse_finish,
	.release = cond_misuse_release,
};
