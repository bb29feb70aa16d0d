/* SPDX-License-Identifier: MIT */
/*
 * shared_state.c - variables of Python programs (--python-races) that are read, changed and written back: by threads that nothing orders
 * and no lock keeps apart (data-race), by tasks that are suspended in between (atomicity-violation).
 *
 * The records are writes; the recorder knows the read that belongs to one, and whether somebody else wrote between the two. A variable
 * that only one thread and task ever wrote has no definition: nothing is kept of it.
 */
#include "../happens_before.h"
#include "../model/model_loops.h"
#include "../python_order.h"
#include "sites.h"

#include <stdlib.h>
#include <string.h>

struct write {
	uint32_t thread, task;
	uint32_t moment; /* of happens_before */
	uint32_t stack, read_stack;
	uint32_t set;  /* locks held */
	uint32_t bits; /* enum trace_access */
	int32_t number;
	uint64_t time_ns;
	bool under_lock; /* of its task */
};

enum { NEWEST = 8 };

/* What was found of one variable. */
struct suspicion {
	bool is_sure, is_there;
	struct write first, second; /* second: a read and a write */
};

struct variable {
	/* The newest write of each of the newest threads, and beside it the newest that was made of a read. */
	struct write plain[NEWEST], derived[NEWEST];
	unsigned count;
	struct write newest, newest_other; /* of the newest writer; of the one before it */
	struct write suspended;		   /* the newest whose task was suspended since its read */
	struct suspicion race, broken;
};

struct holder {
	uint32_t object, task;
};

struct state {
	struct happens_before *hb;
	struct python_order *order;
	struct variable **variable; /* owned; by object */
	size_t object_count;
	struct holder *holder; /* owned: asyncio's locks that are held */
	size_t holder_count, holder_capacity;
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void *shared_state_begin(struct analysis *a)
{
	const struct trace_process *p = a->process;
	struct state *s;

	/* Bounded mode keeps no order. */
	if (a->run || !p->runtime || !(p->runtime->features & TF_PYTHON_RACES) ||
	    p->flags & TF_PROCESS_BOUNDED)
		return NULL;
	s = checked(calloc(1, sizeof(*s)));
	s->hb = happens_before_new(p);
	s->order = python_order_new(p);
	s->object_count = p->object_count ? p->object_count : 1;
	s->variable = checked(calloc(s->object_count, sizeof(*s->variable)));
	return s;
}

static void shared_state_release(void *state)
{
	struct state *s = state;

	if (!s)
		return;
	happens_before_free(s->hb);
	python_order_free(s->order);
	for (size_t i = 0; i < s->object_count; i++)
		free(s->variable[i]);
	free(s->variable);
	free(s->holder);
	free(s);
}

static uint32_t task_on(const struct analysis *a, uint32_t thread)
{
	const struct model_callback *c = model_get_callback(a->model, thread);
	const struct model_thread *t = model_get_thread(a->model, thread);

	return c ? c->task : t ? t->task : 0;
}

/* ---- locks of tasks ---- */

static bool is_of_tasks(const struct analysis *a, uint32_t object)
{
	const struct trace_process *p = a->process;

	return object && object < p->object_count &&
	       p->objects[object].kind == TRACE_OBJECT_MUTEX &&
	       (p->objects[object].attributes >> TF_LIBRARY_SHIFT & TF_LIBRARY_MASK) ==
		       TF_LIBRARY_ASYNCIO;
}

static void on_task_lock(struct state *s, const struct analysis *a, const struct trace_event *e)
{
	size_t i = 0;

	while (i < s->holder_count && s->holder[i].object != e->object)
		i++;
	if (e->op == TRACE_RELEASE || e->op == TRACE_RELEASE_ODD) {
		if (i < s->holder_count)
			s->holder[i] = s->holder[--s->holder_count];
		return;
	}
	if (i == s->holder_capacity) {
		s->holder_capacity = s->holder_capacity ? s->holder_capacity * 2 : 16;
		s->holder = checked(realloc(s->holder, s->holder_capacity * sizeof(*s->holder)));
	}
	s->holder[i] = (struct holder){ e->object, task_on(a, e->thread) };
	if (i == s->holder_count)
		s->holder_count++;
}

static bool holds_any(const struct state *s, uint32_t task)
{
	for (size_t i = 0; i < s->holder_count; i++)
		if (s->holder[i].task == task)
			return true;
	return false;
}

/* ---- accesses ---- */

static void suspect(struct suspicion *to, bool is_sure, const struct write *first,
		    const struct write *second)
{
	if (to->is_there && (to->is_sure || !is_sure))
		return;
	*to = (struct suspicion){ is_sure, true, *first, *second };
}

static bool is_derived(const struct write *w)
{
	return w->bits & TRACE_ACCESS_DERIVED;
}

static bool is_lost(const struct write *w)
{
	return w->bits & TRACE_ACCESS_OVERWRITES;
}

/* They could have come the other way around, and nothing keeps them apart. */
static bool could_meet(struct state *s, struct analysis *a, const struct write *before,
		       const struct write *now)
{
	return before->thread && before->thread != now->thread &&
	       (is_derived(before) || is_derived(now)) &&
	       !happens_before_is(s->hb, before->thread, before->moment, now->thread) &&
	       !model_sets_exclude(a->model, before->set, now->set);
}

static void look_at_threads(struct state *s, struct analysis *a, struct variable *v,
			    const struct write *now)
{
	for (unsigned i = 0; i < v->count; i++) {
		const struct write *before[2] = { &v->derived[i], &v->plain[i] };

		for (int k = 0; k < 2; k++)
			if (could_meet(s, a, before[k], now))
				suspect(&v->race, false, is_derived(now) ? before[k] : now,
					is_derived(now) ? now : before[k]);
	}
}

static bool is_alive(const struct analysis *a, uint32_t task)
{
	return task && model_get_job(a->model, task);
}

/* A check and a store that stores what is there already lose nothing. */
static bool is_harmless(const struct write *now, const struct write *other)
{
	return !is_derived(now) && (!now->number || now->number == other->number);
}

static void look_at_tasks(struct state *s, struct analysis *a, struct variable *v,
			  const struct write *now, const struct write *other)
{
	const struct write *first = &v->suspended;

	(void)s;
	if (is_lost(now) && other->task && other->task != now->task) {
		if (!is_harmless(now, other))
			suspect(&v->broken, true, other, now);
		return;
	}
	if (!(now->bits & TRACE_ACCESS_SUSPENDED) || !is_derived(now) || now->under_lock)
		return;
	if (first->thread == now->thread && first->task && first->task != now->task &&
	    is_alive(a, first->task))
		suspect(&v->broken, false, first, now);
	v->suspended = *now;
}

static void remember(struct variable *v, const struct write *now)
{
	unsigned i = 0;

	while (i < v->count && v->plain[i].thread != now->thread &&
	       v->derived[i].thread != now->thread)
		i++;
	if (i == v->count && v->count < NEWEST)
		v->count++;
	if (i == NEWEST) { /* the oldest goes */
		memmove(v->plain, v->plain + 1, (NEWEST - 1) * sizeof(*v->plain));
		memmove(v->derived, v->derived + 1, (NEWEST - 1) * sizeof(*v->derived));
		i--;
		v->plain[i] = v->derived[i] = (struct write){ 0 };
	}
	if (is_derived(now))
		v->derived[i] = *now;
	else
		v->plain[i] = *now;
	if (v->newest.thread != now->thread || v->newest.task != now->task)
		v->newest_other = v->newest;
	v->newest = *now;
}

/* The newest write by somebody else. */
static const struct write *other_than(const struct variable *v, const struct write *now)
{
	return v->newest.thread != now->thread || v->newest.task != now->task ? &v->newest
									      : &v->newest_other;
}

static void on_write(struct state *s, struct analysis *a, const struct trace_event *e,
		     const struct model_step *step)
{
	struct variable *v = s->variable[e->object];
	const struct write *other;
	struct write now = {
		.thread = e->thread,
		.task = task_on(a, e->thread),
		.moment = happens_before_now(s->hb, e->thread),
		.stack = e->stack,
		.set = model_intern_set(a->model, step->thread, 0),
		.bits = (uint32_t)e->arg & 0xff,
		.number = e->result,
		.time_ns = e->time_ns,
	};

	if (e->arg >> TRACE_ACCESS_STACK_SHIFT < a->process->stack_count)
		now.read_stack = (uint32_t)(e->arg >> TRACE_ACCESS_STACK_SHIFT);
	now.under_lock = now.set || (now.task && holds_any(s, now.task));
	if (!v)
		v = s->variable[e->object] = checked(calloc(1, sizeof(*v)));
	other = other_than(v, &now);
	if (is_lost(&now) && is_derived(&now) && other->thread && other->thread != now.thread)
		suspect(&v->race, true, other, &now);
	else if (!v->race.is_there)
		look_at_threads(s, a, v, &now);
	if (now.task && other->thread == now.thread)
		look_at_tasks(s, a, v, &now, other);
	else if (now.task && now.bits & TRACE_ACCESS_SUSPENDED)
		v->suspended = now;
	remember(v, &now);
}

static void shared_state_on_event(void *state, struct analysis *a, const struct trace_event *e,
				  const struct model_step *step)
{
	struct state *s = state;

	if (!s || !step->thread)
		return;
	python_order_apply(s->order, s->hb, e);
	switch (e->op) {
	case TRACE_ACCESS:
		if (e->arg & TRACE_ACCESS_WRITE && e->object < s->object_count &&
		    a->process->objects[e->object].kind == TRACE_OBJECT_VARIABLE)
			on_write(s, a, e, step);
		break;
	case TRACE_ACQUIRE:
	case TRACE_ACQUIRE_TRY:
	case TRACE_ACQUIRE_TIMED:
	case TRACE_RELEASE:
	case TRACE_RELEASE_ODD:
		if (is_of_tasks(a, e->object))
			on_task_lock(s, a, e);
		break;
	default:
		break;
	}
}

/* ---- findings ---- */

static void add_stack(struct analysis *a, struct finding *f, uint32_t object, const struct write *w,
		      uint32_t stack, const char *note)
{
	uint32_t count, held[32];
	const uint32_t *set = model_get_set(a->model, w->set, &count);
	struct finding_stack *fs;

	count = count < 32 ? count : 32;
	for (uint32_t i = 0; i < count; i++)
		held[i] = MODEL_SET_OBJECT(set[i]);
	fs = analysis_add_stack(a, f, ROLE_ACCESSES, w->thread, object, stack, w->time_ns, held,
				count);
	fs->note = note;
}

static void add_both(struct analysis *a, struct finding *f, uint32_t object,
		     const struct suspicion *x)
{
	bool two_lines = x->second.read_stack != 0;

	if (two_lines)
		add_stack(a, f, object, &x->second, x->second.read_stack, "reads it here …");
	add_stack(a, f, object, &x->second, x->second.stack,
		  two_lines		   ? "… and writes here what it made of that"
		  : is_derived(&x->second) ? "reads it, and writes what it made of that"
					   : "had read it, and writes");
	add_stack(a, f, object, &x->first, x->first.stack,
		  is_lost(&x->second)	  ? "writes it in between"
		  : is_derived(&x->first) ? "does the same"
					  : "writes it");
}

static void add_tasks(struct analysis *a, struct finding *f, const struct suspicion *x)
{
	const struct write *both[2] = { &x->second, &x->first };

	for (int i = 0; i < 2; i++) {
		const struct model_job *job = model_get_job(a->model, both[i]->task);

		if (both[i]->task)
			analysis_add_task(a, f, both[i]->task, job ? job->kind : TRACE_TASK_PY_TASK,
					  job ? job->callback_stack : 0, job ? job->made.stack : 0);
	}
}

static void report_race(struct sites *sites, struct analysis *a, uint32_t object,
			const struct suspicion *x)
{
	struct finding *f = sites_begin(sites, a, RULE_DATA_RACE,
					x->is_sure ? CONFIDENCE_OBSERVED : CONFIDENCE_POTENTIAL,
					x->second.stack, object);

	if (!f)
		return;
	analysis_add_thread(a, f, x->second.thread);
	analysis_add_thread(a, f, x->first.thread);
	analysis_add_lock(a, f, object);
	add_both(a, f, object, x);
	if (x->is_sure) {
		f->title = analysis_printf(a, "An update of {lock:%u} was lost", object);
		f->message = analysis_printf(
			a,
			"{thread:%u} read {lock:%u} and wrote back what it made of that, and {thread:%u} wrote "
			"it in between: that value is gone. No lock was held over both by both of them.",
			x->second.thread, object, x->first.thread);
	} else {
		f->title = analysis_printf(
			a, "{thread:%u} and {thread:%u} change {lock:%u} without a common lock",
			x->second.thread, x->first.thread, object);
		f->message = analysis_printf(
			a,
			"%s, and nothing orders the two: a write of one between the other's read and write is "
			"lost.",
			f->title);
	}
}

static void report_broken(struct sites *sites, struct analysis *a, uint32_t object,
			  const struct suspicion *x)
{
	struct finding *f = sites_begin(sites, a, RULE_ATOMICITY_VIOLATION,
					x->is_sure ? CONFIDENCE_OBSERVED : CONFIDENCE_HINT,
					x->second.stack, object);

	if (!f)
		return;
	analysis_add_thread(a, f, x->second.thread);
	analysis_add_lock(a, f, object);
	add_tasks(a, f, x);
	add_both(a, f, object, x);
	if (x->is_sure) {
		f->title = analysis_printf(
			a, "{lock:%u} was changed by another task between a read and a write",
			object);
		f->message = analysis_printf(
			a,
			"{task:%u} read {lock:%u}, was suspended, and wrote it; {task:%u} wrote it in between, "
			"and that value is gone.",
			x->second.task, object, x->first.task);
	} else {
		f->title = analysis_printf(
			a,
			"{lock:%u} is read before and written after a suspension, by several tasks",
			object);
		f->message = analysis_printf(
			a,
			"{task:%u} and {task:%u} read {lock:%u}, are suspended, and write what they made of "
			"that. What another one writes meanwhile is lost.",
			x->second.task, x->first.task, object);
	}
}

static void shared_state_finish(void *state, struct analysis *a)
{
	struct sites *sites = sites_new();
	struct state *s = state;

	/* What is sure first: a place has one finding. */
	for (int sure = 1; s && sure >= 0; sure--) {
		for (size_t i = 0; i < s->object_count; i++) {
			const struct variable *v = s->variable[i];

			if (v && v->race.is_there && v->race.is_sure == sure &&
			    analysis_wants(a, RULE_DATA_RACE))
				report_race(sites, a, (uint32_t)i, &v->race);
			if (v && v->broken.is_there && v->broken.is_sure == sure &&
			    analysis_wants(a, RULE_ATOMICITY_VIOLATION))
				report_broken(sites, a, (uint32_t)i, &v->broken);
		}
	}
	sites_commit(sites, a);
	sites_free(sites);
}

const struct checker checker_shared_state = {
	.name = "shared_state",
	.consumes = CHECKER_ALL,
	.begin = shared_state_begin,
	.on_event = shared_state_on_event,
	.finish = shared_state_finish,
	.release = shared_state_release,
};
