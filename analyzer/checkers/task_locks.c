/* SPDX-License-Identifier: MIT */
/*
 * task_locks.c - which task holds which lock, and lock-order-inversion among tasks.
 *
 * The tasks of a circle have to run side by side. One that was made by the same task after the other had ended was most likely awaited in
 * between; and what a task did before it made another is over then. Such pairs count as ordered: no finding is better than a wrong one.
 */
#include "task_locks.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ORDERS = 4096, MAX_TASKS_OF_ORDER = 16, MAX_CIRCLE = 5 };

static void *grown(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? 2 * *capacity : 16;
	array = realloc(array, *capacity * size);
	if (!array)
		abort();
	return array;
}

void task_locks_release(struct task_locks *l)
{
	free(l->hold);
	free(l->life);
	free(l->order);
}

/* ---- lives ---- */

static struct task_life *touch_life(struct task_locks *l, uint64_t task)
{
	if (task == 0 || task >= UINT32_MAX / 2)
		return NULL;
	if (task >= l->life_count) {
		uint32_t count = l->life_count ? l->life_count : 64;

		while (count <= task)
			count *= 2;
		l->life = realloc(l->life, count * sizeof(*l->life));
		if (!l->life)
			abort();
		memset(l->life + l->life_count, 0, (count - l->life_count) * sizeof(*l->life));
		l->life_count = count;
	}
	return &l->life[task];
}

struct task_life task_locks_get_life(const struct task_locks *l, uint32_t task)
{
	return task < l->life_count ? l->life[task] : (struct task_life){ 0 };
}

bool task_locks_holds(uint32_t kind)
{
	return kind == TRACE_TASK_PY_TASK || kind == TRACE_TASK_TRIO_TASK ||
	       kind == TRACE_TASK_GREENLET;
}

static void on_new(struct task_locks *l, const struct model *m, const struct trace_event *event)
{
	const struct model_callback *c = model_get_callback(m, event->thread);
	struct task_life *life = event->result > 0 && task_locks_holds((uint32_t)event->result)
					 ? touch_life(l, event->arg)
					 : NULL;

	if (life)
		*life = (struct task_life){
			.parent = c && task_locks_holds(c->kind) ? c->task : 0,
			.kind = (uint32_t)event->result,
			.made_ns = event->time_ns,
			.made = { event->thread, event->stack, event->time_ns },
		};
}

static void on_step(struct task_locks *l, const struct trace_event *event,
		    const struct model_step *step)
{
	struct task_life *life = event->arg < l->life_count ? &l->life[event->arg] : NULL;

	if (life && event->result == TRACE_TASK_CALLED && event->stack)
		life->callback = event->stack;
	if (life && step->flags & MODEL_STEP_ENDED)
		life->ended_ns = event->time_ns;
}

/* ---- holds ---- */

const struct task_hold *task_locks_find(const struct task_locks *l, uint32_t object)
{
	for (size_t i = l->hold_count; i-- > 0;)
		if (l->hold[i].object == object)
			return &l->hold[i];
	return NULL;
}

static void on_release(struct task_locks *l, uint32_t object)
{
	const struct task_hold *h = task_locks_find(l, object);
	size_t i = h ? (size_t)(h - l->hold) : 0;

	if (!h)
		return;
	memmove(&l->hold[i], &l->hold[i + 1], (l->hold_count - i - 1) * sizeof(*l->hold));
	l->hold_count--;
}

static struct task_order *find_order(struct task_locks *l, const struct task_order *o)
{
	unsigned tasks = 0;

	for (size_t i = 0; i < l->order_count; i++) {
		struct task_order *old = &l->order[i];

		if (old->from != o->from || old->to != o->to)
			continue;
		if (old->task == o->task && old->at.stack == o->at.stack)
			return old;
		/* Enough of them: the newest stand for those in between. */
		if (++tasks >= MAX_TASKS_OF_ORDER && old->at.stack == o->at.stack)
			return old;
	}
	return NULL;
}

void task_locks_wait(struct task_locks *l, uint32_t task, uint32_t object,
		     const struct model_site *at, bool limited)
{
	struct task_order o = {
		.to = object, .task = task, .at = *at, .limited = limited, .count = 1
	};

	for (size_t i = 0; i < l->hold_count && o.held_count < TASK_HELD; i++)
		if (l->hold[i].task == task && l->hold[i].object != object)
			o.held[o.held_count++] = l->hold[i].object;
	for (size_t i = 0; i < l->hold_count && o.held_count; i++) {
		struct task_order *old;

		if (l->hold[i].task != task || l->hold[i].object == object)
			continue;
		o.from = l->hold[i].object;
		o.held_at = l->hold[i].at;
		old = find_order(l, &o);
		if (old) {
			old->count++;
			continue;
		}
		if (l->order_count >= MAX_ORDERS)
			return;
		l->order = grown(l->order, l->order_count, &l->order_capacity, sizeof(*l->order));
		l->order[l->order_count++] = o;
	}
}

/* asyncio.wait_for() is among the callers. */
static bool is_in_wait_for(const struct model *m, uint32_t stack)
{
	const struct trace_stack *st = model_get_stack(m, stack);
	const struct trace_process *p = m->process;

	for (uint32_t i = 0; st && i < st->frames; i++) {
		uint64_t place = st->ip[i] - TF_PLACE;

		if (TF_IS_PLACE(st->ip[i]) && place < p->place_count &&
		    p->places[place].kind == TF_PLACE_LIBRARY && p->places[place].function &&
		    strcmp(p->places[place].function, "wait_for") == 0)
			return true;
	}
	return false;
}

static void on_acquire(struct task_locks *l, const struct model *m, const struct trace_event *event)
{
	const struct model_callback *c = model_get_callback(m, event->thread);
	struct task_hold h = { .object = event->object,
			       .at = { event->thread, event->stack, event->time_ns } };

	on_release(l, event->object);
	if (!c || !task_locks_holds(c->kind))
		return;
	h.task = c->task;
	task_locks_wait(l, h.task, h.object, &h.at, is_in_wait_for(m, event->stack));
	l->hold = grown(l->hold, l->hold_count, &l->hold_capacity, sizeof(*l->hold));
	l->hold[l->hold_count++] = h;
}

void task_locks_apply(struct task_locks *l, const struct model *m, const struct trace_event *event,
		      const struct model_step *step)
{
	switch (event->op) {
	case TRACE_TASK_NEW:
		on_new(l, m, event);
		break;
	case TRACE_TASK:
		on_step(l, event, step);
		break;
	case TRACE_ACQUIRE:
		if (model_object_is_of_tasks(m, event->object))
			on_acquire(l, m, event);
		break;
	case TRACE_RELEASE:
	case TRACE_GONE:
		if (model_object_is_of_tasks(m, event->object))
			on_release(l, event->object);
		break;
	default:
		break;
	}
}

/* ---- bounded mode ---- */

static void learn_ends(struct task_locks *l, const struct trace_process *p, uint64_t until_ns)
{
	for (; l->told < p->task_lock_count; l->told++) {
		const struct trace_task_lock *t = &p->task_locks[l->told];
		struct task_life *life;

		if (t->what != TF_TASK_LOCK_OVER)
			continue;
		if (t->time_ns > until_ns)
			return;
		life = touch_life(l, t->task);
		if (life && !life->ended_ns)
			life->ended_ns = t->time_ns;
	}
}

void task_locks_look(struct task_locks *l, const struct trace_process *p, uint32_t look,
		     uint64_t time_ns)
{
	if (!(p->flags & TF_PROCESS_BOUNDED))
		return;
	learn_ends(l, p, time_ns);
	l->hold_count = 0;
	for (size_t i = 0; i < p->task_lock_count; i++) {
		const struct trace_task_lock *t = &p->task_locks[i];

		if (t->what != TF_TASK_LOCK_HELD || t->look != look || !t->object)
			continue;
		on_release(l, t->object);
		l->hold = grown(l->hold, l->hold_count, &l->hold_capacity, sizeof(*l->hold));
		l->hold[l->hold_count++] =
			(struct task_hold){ .object = t->object,
					    .task = t->task,
					    .at = { t->thread, t->stack, t->time_ns } };
	}
}

static void learn_orders(struct task_locks *l, const struct analysis *a)
{
	const struct trace_process *p = a->process;

	learn_ends(l, p, UINT64_MAX);
	for (size_t i = 0; i < p->task_lock_count && l->order_count < MAX_ORDERS; i++) {
		const struct trace_task_lock *t = &p->task_locks[i];
		struct task_order o = {
			.from = t->held,
			.to = t->object,
			.task = t->task,
			.held = { t->held },
			.held_count = 1,
			.limited = is_in_wait_for(a->model, t->stack),
			.held_at = { t->thread, t->held_stack, t->held_ns },
			.at = { t->thread, t->stack, t->time_ns },
			.count = 1,
		};

		if (t->what != TF_TASK_LOCK_ORDER || !t->held || !t->object || find_order(l, &o))
			continue;
		for (unsigned n = 0; n < TF_TASK_LOCKS_ALSO && t->also[n]; n++)
			o.held[o.held_count++] = t->also[n];
		l->order = grown(l->order, l->order_count, &l->order_capacity, sizeof(*l->order));
		l->order[l->order_count++] = o;
	}
}

/* ---- circles ---- */

static bool is_ancestor(const struct task_locks *l, uint32_t old, uint32_t young)
{
	for (unsigned i = 0; young && i < 64; i++) {
		young = task_locks_get_life(l, young).parent;
		if (young == old)
			return true;
	}
	return false;
}

/* `a` was over before `b` could begin, in any run. */
static bool is_before(const struct task_locks *l, const struct task_order *a,
		      const struct task_order *b)
{
	struct task_life x = task_locks_get_life(l, a->task), y = task_locks_get_life(l, b->task);

	if (x.parent && x.parent == y.parent && x.ended_ns && x.ended_ns <= y.made_ns)
		return true;
	if (is_ancestor(l, a->task, b->task) && a->at.time_ns <= y.made_ns)
		return true;
	return is_ancestor(l, b->task, a->task) && x.ended_ns && x.ended_ns <= b->held_at.time_ns;
}

static bool share_gate(const struct task_order *a, const struct task_order *b)
{
	for (uint32_t i = 0; i < a->held_count; i++)
		for (uint32_t n = 0; n < b->held_count; n++)
			if (a->held[i] == b->held[n])
				return true;
	return false;
}

static bool can_meet(const struct task_locks *l, const struct task_order *a,
		     const struct task_order *b)
{
	return a->task != b->task && !share_gate(a, b) && !is_before(l, a, b) &&
	       !is_before(l, b, a);
}

struct circle {
	const struct task_order *order[MAX_CIRCLE];
	uint32_t count;
};

static bool fits(const struct task_locks *l, const struct circle *c, const struct task_order *o)
{
	for (uint32_t i = 0; i < c->count; i++)
		if (c->order[i]->from == o->from || !can_meet(l, c->order[i], o))
			return false;
	return true;
}

/* Of the orders that go on where the circle ends, the first that closes it in the end. Begins at its smallest lock. */
static bool close_circle(const struct task_locks *l, struct circle *c)
{
	const struct task_order *first = c->order[0], *last = c->order[c->count - 1];

	if (last->to == first->from)
		return true;
	for (size_t i = 0; i < l->order_count && c->count < MAX_CIRCLE; i++) {
		const struct task_order *o = &l->order[i];

		if (o->from != last->to || o->to < first->from || !fits(l, c, o))
			continue;
		c->order[c->count++] = o;
		if (close_circle(l, c))
			return true;
		c->count--;
	}
	return false;
}

static void report_circle(const struct task_locks *l, struct analysis *a, const struct circle *c)
{
	uint32_t locks[MAX_CIRCLE];
	bool limited = false;
	struct finding *f;

	for (uint32_t i = 0; i < c->count; i++) {
		locks[i] = c->order[i]->from;
		limited |= c->order[i]->limited;
	}
	if (analysis_is_observed(a, locks, c->count))
		return;
	f = analysis_begin(a, RULE_LOCK_ORDER_INVERSION,
			   limited ? CONFIDENCE_HINT : CONFIDENCE_POTENTIAL);
	for (uint32_t i = 0; i < c->count; i++) {
		const struct task_order *o = c->order[i];

		task_locks_add_task(l, a, f, o->task);
		analysis_add_stack(a, f, ROLE_HOLDS, o->held_at.thread, o->from, o->held_at.stack,
				   o->held_at.time_ns, NULL, 0)
			->note = analysis_printf(a, "{task:%u}", o->task);
		analysis_add_stack(a, f, ROLE_ACQUIRES, o->at.thread, o->to, o->at.stack,
				   o->at.time_ns, o->held, o->held_count)
			->note = analysis_printf(a, "{task:%u}", o->task);
	}
	f->title =
		c->count == 2
			? analysis_printf(
				  a,
				  "Lock order inversion: {lock:%u} and {lock:%u} are taken in both "
				  "orders by tasks",
				  locks[0], locks[1])
			: analysis_printf(
				  a,
				  "Lock order inversion: %u locks are taken in a circle by tasks",
				  c->count);
	f->message = analysis_printf(
		a,
		"%s. When each task has its first lock and none its second, all of them wait%s, and nothing shows: the loop goes on. "
		"Take these locks in one order everywhere.",
		f->title, limited ? " until the limit of time of one is over" : " for ever");
	analysis_commit(a, f);
}

/* One finding for each set of locks. */
static bool is_known(struct circle *known, size_t count, const struct circle *c)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t same = 0;

		for (uint32_t n = 0; n < c->count && known[i].count == c->count; n++)
			for (uint32_t k = 0; k < c->count; k++)
				same += known[i].order[k]->from == c->order[n]->from;
		if (same == c->count)
			return true;
	}
	return false;
}

void task_locks_report(struct task_locks *l, struct analysis *a)
{
	struct circle *known = NULL;
	size_t count = 0, capacity = 0;

	if (!analysis_wants(a, RULE_LOCK_ORDER_INVERSION))
		return;
	learn_orders(l, a);
	for (size_t i = 0; i < l->order_count; i++) {
		struct circle c = { .order = { &l->order[i] }, .count = 1 };

		if (l->order[i].to <= l->order[i].from || !close_circle(l, &c) ||
		    is_known(known, count, &c))
			continue;
		known = grown(known, count, &capacity, sizeof(*known));
		known[count++] = c;
		report_circle(l, a, &c);
	}
	free(known);
}

void task_locks_add_task(const struct task_locks *l, struct analysis *a, struct finding *f,
			 uint32_t task)
{
	struct task_life life = task_locks_get_life(l, task);

	analysis_add_task(a, f, task, life.kind ? life.kind : TRACE_TASK_PY_TASK, life.callback,
			  life.made.stack);
}
