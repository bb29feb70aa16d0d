/* SPDX-License-Identifier: MIT */
/*
 * lock_leak.c - locks that nobody will unlock: held by a thread that is over, held when the process
 * exits, and robust mutexes that were given up as not recoverable.
 *
 * A thread is judged when it is over for good, because destructors run after THREAD_END. What it
 * held is reported at the end only, and not when someone else unlocked it since (unlock-not-owned
 * tells that story) or when the mutex is robust and its next owner was told.
 */
#include "sites.h"

#include <errno.h>
#include <stdlib.h>

struct leak {
	uint32_t thread;
	struct model_held hold;
	bool settled;
};

/* Owner that died with a robust mutex, for the story of the mutex. */
struct death {
	uint32_t object, thread, stack;
	uint64_t time_ns;
};

struct lock_leak {
	struct sites *sites;
	struct leak *leak; /* owned */
	size_t leak_count, leak_capacity;
	struct death *death; /* owned */
	size_t death_count, death_capacity;
};

static void *grow(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? *capacity * 2 : 8;
	array = realloc(array, *capacity * element_bytes);
	if (!array)
		abort();
	return array;
}

static void *lock_leak_begin(struct analysis *a)
{
	struct lock_leak *s = calloc(1, sizeof(*s));

	(void)a;
	if (!s)
		abort();
	s->sites = sites_new();
	return s;
}

static void lock_leak_release(void *state)
{
	struct lock_leak *s = state;

	sites_free(s->sites);
	free(s->leak);
	free(s->death);
	free(s);
}

/*
 * Semaphores have no owner by the standard; initialisers and the loader lock are not taken by the
 * program itself.
 */
static bool is_ownable(const struct model_object *o)
{
	return o && (o->kind == TRACE_OBJECT_MUTEX || o->kind == TRACE_OBJECT_RWLOCK ||
		     o->kind == TRACE_OBJECT_SPIN);
}

static bool is_robust(const struct model_object *o)
{
	return o->kind == TRACE_OBJECT_MUTEX && (o->flags & MODEL_ATTRIBUTES) &&
	       (o->attributes & TF_MUTEX_ROBUST);
}

static void lock_leak_on_thread_over(void *state, struct analysis *a, struct model_thread *t)
{
	struct lock_leak *s = state;

	for (uint32_t i = 0; i < t->held_count && !t->uncertain; i++) {
		const struct model_object *o = model_get_object(a->model, t->held[i].object);

		if (!is_ownable(o) || is_robust(o))
			continue;
		s->leak = grow(s->leak, s->leak_count, &s->leak_capacity, sizeof(*s->leak));
		s->leak[s->leak_count++] = (struct leak){ .thread = t->id, .hold = t->held[i] };
	}
}

/* A lock changed hands behind its owner's back. Rare, so a search is fine. */
static void settle(struct lock_leak *s, uint32_t thread, uint32_t object)
{
	for (size_t i = 0; i < s->leak_count; i++)
		if (s->leak[i].thread == thread && s->leak[i].hold.object == object)
			s->leak[i].settled = true;
}

static void on_ownerdead(struct lock_leak *s, const struct model_step *step)
{
	if (!step->loser)
		return;
	settle(s, step->loser->id, step->object->id);
	s->death = grow(s->death, s->death_count, &s->death_capacity, sizeof(*s->death));
	s->death[s->death_count++] = (struct death){ step->object->id, step->loser->id,
						     step->released.stack, step->released.time_ns };
}

static void report_not_recoverable(struct lock_leak *s, struct analysis *a,
				   const struct trace_event *event, uint32_t stack,
				   uint64_t time_ns)
{
	struct finding *f = sites_begin(s->sites, a, RULE_LOCK_NOT_RECOVERABLE, CONFIDENCE_OBSERVED,
					stack, event->object);

	if (!f)
		return;
	analysis_add_stack(a, f, ROLE_ACQUIRES, event->thread, event->object, stack, time_ns, NULL,
			   0)
		->note = event->op == TRACE_ACQUIRE_FAIL ? "refused: not recoverable"
							 : "acquired after its owner died";
	for (size_t i = s->death_count; i-- > 0;) {
		const struct death *d = &s->death[i];

		if (d->object != event->object)
			continue;
		analysis_add_stack(a, f, ROLE_HOLDS, d->thread, d->object, d->stack, d->time_ns,
				   NULL, 0)
			->note = "the owner that died";
		break;
	}
	f->title = analysis_printf(a, "{thread:%u} gives up {lock:%u} without making it consistent",
				   event->thread, event->object);
	f->message = analysis_printf(
		a,
		"The owner of {lock:%u} died with it locked. {thread:%u} got it with EOWNERDEAD and unlocked it without "
		"pthread_mutex_consistent: from then on every lock of it fails with ENOTRECOVERABLE.",
		event->object, event->thread);
}

static void lock_leak_on_event(void *state, struct analysis *a, const struct trace_event *event,
			       const struct model_step *step)
{
	struct lock_leak *s = state;

	if ((step->flags & MODEL_STEP_OVER) && step->peer)
		lock_leak_on_thread_over(state, a, step->peer);
	if (!step->object)
		return;
	switch (event->op) {
	case TRACE_ACQUIRE_OWNERDEAD:
		on_ownerdead(s, step);
		break;
	case TRACE_ACQUIRE_FAIL:
		if (event->result == ENOTRECOVERABLE &&
		    !(step->object->flags & MODEL_NOT_RECOVERABLE))
			report_not_recoverable(s, a, event, event->stack, event->time_ns);
		break;
	default: /* RELEASE, RELEASE_ODD, and whatever took a lock over */
		if (step->loser && step->loser != step->thread)
			settle(s, step->loser->id, event->object);
		break;
	}
	if ((event->op == TRACE_RELEASE) && (step->flags & MODEL_STEP_RELEASED) &&
	    step->loser == step->thread && (step->released.flags & MODEL_HOLD_OWNERDEAD))
		report_not_recoverable(s, a, event, step->released.stack, step->released.time_ns);
}

static const char *end_words(const struct model_thread *t)
{
	if (t->end_kind == MODEL_END_CANCELLED)
		return "was cancelled while it held";
	if (t->end_kind == MODEL_END_EXIT)
		return "called pthread_exit while it held";
	return "ended while it held";
}

static void report_leak(struct lock_leak *s, struct analysis *a, const struct leak *leak)
{
	const struct model_thread *t = model_get_thread(a->model, leak->thread);
	struct finding *f = sites_begin(s->sites, a, RULE_LOCK_HELD_AT_THREAD_EXIT,
					CONFIDENCE_OBSERVED, leak->hold.stack, leak->hold.object);

	if (!f)
		return;
	analysis_add_stack(a, f, ROLE_HOLDS, leak->thread, leak->hold.object, leak->hold.stack,
			   leak->hold.time_ns, NULL, 0);
	if (t->end_kind == MODEL_END_EXIT && t->exit.stack)
		analysis_add_stack_now(a, f, ROLE_ACCESSES, leak->thread, 0, t->exit.stack,
				       t->exit.time_ns)
			->note = "pthread_exit";
	if (t->end_kind == MODEL_END_CANCELLED && t->cancel.thread)
		analysis_add_stack(a, f, ROLE_ACCESSES, t->cancel.thread, 0, t->cancel.stack,
				   t->cancel.time_ns, NULL, 0)
			->note = "pthread_cancel";
	f->title = analysis_printf(a, "{thread:%u} %s {lock:%u}", leak->thread, end_words(t),
				   leak->hold.object);
	f->message = analysis_printf(
		a,
		"%s. Nobody can unlock it any more: the next thread that wants it waits for ever.",
		f->title);
}

static void report_at_exit(struct lock_leak *s, struct analysis *a, const struct model_thread *t)
{
	for (uint32_t i = 0; i < t->held_count && !t->uncertain; i++) {
		const struct model_held *h = &t->held[i];
		struct finding *f;

		if (!is_ownable(model_get_object(a->model, h->object)))
			continue;
		f = sites_begin(s->sites, a, RULE_LOCK_HELD_AT_EXIT, CONFIDENCE_HINT, h->stack,
				h->object);
		if (!f)
			continue;
		analysis_add_stack(a, f, ROLE_HOLDS, t->id, h->object, h->stack, h->time_ns, NULL,
				   0);
		f->title = analysis_printf(a, "{thread:%u} holds {lock:%u} when the process exits",
					   t->id, h->object);
		f->message = analysis_printf(
			a, "%s. Destructors and exit handlers that want it would wait for ever.",
			f->title);
	}
}

static void lock_leak_finish(void *state, struct analysis *a)
{
	struct lock_leak *s = state;
	const struct model_thread *exiting = model_get_thread(a->model, a->model->exit_thread);

	for (size_t i = 0; i < s->leak_count; i++)
		if (!s->leak[i].settled)
			report_leak(s, a, &s->leak[i]);
	/*
	 * Threads that still run when another one exits the process may hold what they like. One
	 * that is blocked in an exit handler has not come to its end: others tell that story.
	 */
	if (a->model->exit_kind == TRACE_EXIT_DESTRUCTORS && exiting &&
	    exiting->state != MODEL_THREAD_OVER && !model_get_wait(a->model, exiting->id))
		report_at_exit(s, a, exiting);
	sites_commit(s->sites, a);
}

const struct checker checker_lock_leak = {
	.name = "lock_leak",
	.consumes = CHECKER_OP(TRACE_RELEASE) | CHECKER_OP(TRACE_RELEASE_ODD) |
		    CHECKER_OP(TRACE_ACQUIRE_OWNERDEAD) | CHECKER_OP(TRACE_ACQUIRE_FAIL),
	.on_flags = MODEL_STEP_OVER | MODEL_STEP_TAKEN_OVER,
	.begin = lock_leak_begin,
	.on_event = lock_leak_on_event,
	.on_thread_over = lock_leak_on_thread_over,
	.finish = lock_leak_finish,
	.release = lock_leak_release,
};
