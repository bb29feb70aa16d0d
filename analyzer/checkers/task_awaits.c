/* SPDX-License-Identifier: MIT */
/*
 * task_awaits.c - what tasks waited for when the recorder looked: rules await-cycle, deadlock, self-deadlock and stuck-wait among tasks, and
 * unbounded-tasks of a crowd.
 *
 * A look is true at its time, of all tasks that were alive. A circle of tasks that wait for each other, or for locks that they hold, is
 * there for good unless somebody cancels: it is observed in whatever look shows it, but where a wait has a limit of time (its own, or that of
 * a task that waits for it). Any other wait may be ended by whoever can still run: only the newest look counts, and only where the process
 * never passed exit, no task made a step since, the loop has no timer, no descriptor and no signal to wait for, and no thread is free.
 */
#include "../wait_graph.h"
#include "sites.h"
#include "task_locks.h"

#include <stdlib.h>
#include <string.h>

enum { CROWD = 1000 };

struct task_awaits {
	struct task_locks locks;
	size_t cursor;	     /* of process->awaits: looks before it are done */
	uint64_t stepped_ns; /* the newest step of a task */
	struct sites *sites;
	uint8_t *told; /* owned; by task: part of a reported circle */
	uint32_t told_count;
};

static void *task_awaits_begin(struct analysis *a)
{
	struct task_awaits *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->sites = sites_new();
	s->told_count = (uint32_t)a->process->task_count;
	s->told = calloc(s->told_count + 1, 1);
	if (!s->told)
		abort();
	return s;
}

static void task_awaits_release(void *state)
{
	struct task_awaits *s = state;

	task_locks_release(&s->locks);
	sites_free(s->sites);
	free(s->told);
	free(s);
}

/* ---- one look ---- */

/* The awaits of one look. `node` of a task is its place among `task`, ascending. */
struct scene {
	const struct trace_await *await;
	size_t count;
	uint32_t *task; /* owned */
	uint32_t task_count;
	uint8_t *limited, *stuck; /* owned; by node */
	struct wait_graph graph;
};

static int compare_tasks(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static uint32_t node_of(const struct scene *c, uint32_t task)
{
	const uint32_t *at = bsearch(&task, c->task, c->task_count, sizeof(task), compare_tasks);

	return at ? (uint32_t)(at - c->task) : UINT32_MAX;
}

/* The task that it waits for: 0 = none that is known. */
static uint32_t target_of(const struct task_awaits *s, const struct trace_await *w)
{
	const struct task_hold *h;

	if (w->other || w->kind != TF_AWAIT_LOCK || !w->object)
		return w->other;
	h = task_locks_find(&s->locks, w->object);
	return h && !task_locks_get_life(&s->locks, h->task).ended_ns ? h->task : 0;
}

/* Whoever awaits a task with a limit of time cancels it when that is over. */
static void spread_limits(struct scene *c)
{
	bool more = true;

	for (size_t i = 0; i < c->count; i++)
		if (c->await[i].flags & TF_AWAIT_TIMED)
			c->limited[node_of(c, c->await[i].task)] = 1;
	while (more) {
		more = false;
		for (size_t i = 0; i < c->count; i++) {
			const struct trace_await *w = &c->await[i];
			uint32_t other = w->other && w->kind == TF_AWAIT_TASK ? node_of(c, w->other)
									      : UINT32_MAX;

			if (other != UINT32_MAX && c->limited[node_of(c, w->task)] &&
			    !c->limited[other]) {
				c->limited[other] = 1;
				more = true;
			}
		}
	}
}

static void scene_init(struct scene *c, const struct task_awaits *s,
		       const struct trace_await *await, size_t count)
{
	*c = (struct scene){ .await = await, .count = count };
	c->task = calloc(count, sizeof(*c->task));
	c->limited = calloc(count, 1);
	c->stuck = calloc(count, 1);
	if (!c->task || !c->limited || !c->stuck)
		abort();
	for (size_t i = 0; i < count; i++)
		c->task[i] = await[i].task;
	qsort(c->task, count, sizeof(*c->task), compare_tasks);
	for (size_t i = 0; i < count; i++)
		if (!c->task_count || c->task[c->task_count - 1] != c->task[i])
			c->task[c->task_count++] = c->task[i];
	spread_limits(c);
	wait_graph_init(&c->graph, c->task_count);
	for (size_t i = 0; i < count; i++) {
		uint32_t to = target_of(s, &await[i]);

		to = to && !(await[i].flags & TF_AWAIT_ANY) ? node_of(c, to) : UINT32_MAX;
		if (to != UINT32_MAX)
			wait_graph_add_edge(&c->graph, node_of(c, await[i].task), to);
	}
}

static void scene_release(struct scene *c)
{
	wait_graph_release(&c->graph);
	free(c->task);
	free(c->limited);
	free(c->stuck);
}

/* The await of `task` that leads to `other`, any when that is 0. */
static const struct trace_await *find_await(const struct task_awaits *s, const struct scene *c,
					    uint32_t task, uint32_t other)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->await[i].task == task && (!other || target_of(s, &c->await[i]) == other))
			return &c->await[i];
	return NULL;
}

/* ---- circles ---- */

static void add_wait(const struct task_awaits *s, struct analysis *a, struct finding *f,
		     const struct trace_await *w)
{
	uint32_t other = target_of(s, w);
	const struct task_hold *h = w->object ? task_locks_find(&s->locks, w->object) : NULL;

	task_locks_add_task(&s->locks, a, f, w->task);
	if (other)
		task_locks_add_task(&s->locks, a, f, other);
	analysis_add_stack(a, f, ROLE_AWAITS, w->thread, w->object, w->stack, w->time_ns, NULL, 0)
		->note = other ? analysis_printf(a, "{task:%u} waits for {task:%u}", w->task, other)
			       : analysis_printf(a, "{task:%u} waits", w->task);
	if (h)
		analysis_add_stack(a, f, ROLE_HOLDS, h->at.thread, h->object, h->at.stack,
				   h->at.time_ns, NULL, 0)
			->note = analysis_printf(a, "{task:%u}", h->task);
}

static void report_circle(struct task_awaits *s, struct analysis *a, const struct scene *c,
			  const uint32_t *path, uint32_t length)
{
	uint32_t locks[8], lock_count = 0;
	const char *names = "";
	struct finding *f;
	enum rule rule;

	for (uint32_t i = 0; i < length; i++) {
		const struct trace_await *w =
			find_await(s, c, c->task[path[i]], c->task[path[(i + 1) % length]]);

		if (w && w->object && lock_count < 8)
			locks[lock_count++] = w->object;
	}
	rule = !lock_count ? RULE_AWAIT_CYCLE : length == 1 ? RULE_SELF_DEADLOCK : RULE_DEADLOCK;
	if (lock_count)
		analysis_add_observed(a, locks, lock_count);
	if (!analysis_wants(a, rule))
		return;
	f = analysis_begin(a, rule, CONFIDENCE_OBSERVED);
	for (uint32_t i = 0; i < length; i++) {
		const struct trace_await *w =
			find_await(s, c, c->task[path[i]], c->task[path[(i + 1) % length]]);

		if (w)
			add_wait(s, a, f, w);
		if (i < 4)
			names = analysis_printf(a, "%s%s{task:%u}", names,
						i == 0		  ? ""
						: i == length - 1 ? " and "
								  : ", ",
						c->task[path[i]]);
	}
	if (length > 4)
		names = analysis_printf(a, "%s and %u more", names, length - 4);
	switch (rule) {
	case RULE_SELF_DEADLOCK:
		f->title = analysis_printf(a, "%s waits for {lock:%u}, which it holds itself",
					   names, locks[0]);
		break;
	case RULE_DEADLOCK:
		f->title = analysis_printf(a, "Deadlock: %s wait for each other", names);
		break;
	default:
		f->title = length == 1 ? analysis_printf(a, "%s awaits itself", names)
				       : analysis_printf(a, "%s await each other", names);
		break;
	}
	f->message = analysis_printf(
		a,
		"%s. None of them can go on, and nobody who waits for one of them; the event loop itself turns.%s",
		f->title,
		lock_count
			? " Take the locks in one order everywhere, and await nothing with a lock held that needs it."
			: "");
	analysis_commit(a, f);
}

static void find_circles(struct task_awaits *s, struct analysis *a, struct scene *c)
{
	uint8_t *within = calloc(c->task_count, 1);
	uint32_t *component = calloc(c->task_count, sizeof(*component)),
		 *path = calloc(c->task_count, sizeof(*path));

	if (!within || !component || !path)
		abort();
	for (uint32_t i = 0; i < c->task_count; i++)
		within[i] = !c->limited[i];
	wait_graph_components(&c->graph, within, component);
	for (uint32_t i = 0; i < c->task_count; i++) {
		uint32_t length = within[i] && !c->stuck[i]
					  ? wait_graph_find_cycle(&c->graph, component, i, path)
					  : 0;
		bool told = false;

		for (uint32_t n = 0; n < length; n++) {
			uint32_t task = c->task[path[n]];

			told |= task < s->told_count && s->told[task];
			c->stuck[path[n]] = 1;
		}
		for (uint32_t n = 0; n < length; n++)
			if (c->task[path[n]] < s->told_count)
				s->told[c->task[path[n]]] = 1;
		/* Others of the component only wait for those of the circle. */
		for (uint32_t n = 0; n < c->task_count && length; n++)
			c->stuck[n] |= component[n] == component[i];
		if (length && !told)
			report_circle(s, a, c, path, length);
	}
	wait_graph_reach_back(&c->graph, within, c->stuck);
	free(within);
	free(component);
	free(path);
}

/* ---- waits that nobody ends ---- */

/* Someone but the tasks of the look could still give it. */
static bool is_sealed(const struct task_awaits *s, const struct analysis *a, const struct scene *c)
{
	const struct model *m = a->model;

	if ((m->exit_kind && !(c->await[0].flags & TF_AWAIT_LOOP_OVER)) ||
	    s->stepped_ns > c->await[c->count - 1].time_ns)
		return false;
	for (size_t i = 0; i < c->count; i++)
		if (c->await[i].kind == TF_AWAIT_NOTHING || c->await[i].kind == TF_AWAIT_IO ||
		    c->limited[node_of(c, c->await[i].task)] ||
		    c->await[i].flags &
			    (TF_AWAIT_LOOP_TIMERS | TF_AWAIT_LOOP_WATCHES | TF_AWAIT_LOOP_UNKNOWN))
			return false;
	for (size_t i = 1; i < m->thread_count; i++) {
		const struct model_thread *t = model_get_thread(m, (uint32_t)i);
		const struct trace_wait_state *w = t ? model_get_wait(m, t->id) : NULL;

		if (!t || t->state != MODEL_THREAD_RUNNING || t->id == c->await[0].thread)
			continue;
		if (!w || w->wait.mode & TRACE_MODE_TIMED || w->wait.kind == TRACE_WAIT_NONE ||
		    w->wait.kind == TRACE_WAIT_CALL || w->wait.kind == TRACE_WAIT_CHILD)
			return false;
	}
	return true;
}

static const char *const waits_for[] = {
	[TF_AWAIT_UNKNOWN] = "a future that nobody is left to set",
	[TF_AWAIT_LOCK] = "a lock that nobody is left to release",
	[TF_AWAIT_SEMAPHORE] = "a semaphore that nobody is left to release",
	[TF_AWAIT_EVENT] = "an event that nobody is left to set",
	[TF_AWAIT_CONDITION] = "a condition that nobody is left to notify",
	[TF_AWAIT_GET] = "something in a queue, and nobody is left to put it there",
	[TF_AWAIT_PUT] = "room in a queue, and nobody is left to take something out",
	[TF_AWAIT_DONE] = "a queue whose work nobody is left to report as done",
	[TF_AWAIT_BARRIER] = "a barrier, and nobody is left to come",
};

static void report_stuck(struct task_awaits *s, struct analysis *a, const struct trace_await *w)
{
	struct finding *f =
		sites_begin(s->sites, a, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED, w->stack, w->task);

	if (!f)
		return;
	add_wait(s, a, f, w);
	f->title = analysis_printf(a, "{task:%u} waits for %s", w->task, waits_for[w->kind]);
	f->message = analysis_printf(
		a,
		"%s: every task waits, the event loop has no timer and watches no descriptor, and no other thread can run.",
		f->title);
}

/* From the task that has no parent, the loop's main one, along what it waits for: what the program itself is stuck at. */
static void find_stuck(struct task_awaits *s, struct analysis *a, struct scene *c)
{
	uint8_t *within = calloc(c->task_count, 1), *reached = calloc(c->task_count, 1);

	if (!within || !reached)
		abort();
	for (uint32_t i = 0; i < c->task_count; i++) {
		within[i] = !c->stuck[i];
		reached[i] = within[i] && !task_locks_get_life(&s->locks, c->task[i]).parent;
	}
	wait_graph_reach(&c->graph, within, reached);
	for (size_t i = 0; i < c->count; i++) {
		const struct trace_await *w = &c->await[i];

		if (reached[node_of(c, w->task)] && !target_of(s, w) && w->kind != TF_AWAIT_TASK &&
		    w->kind < sizeof(waits_for) / sizeof(waits_for[0]) && waits_for[w->kind])
			report_stuck(s, a, w);
	}
	free(within);
	free(reached);
}

/* ---- crowds ---- */

static bool is_at_work(const struct trace_await *w)
{
	return w->kind == TF_AWAIT_UNKNOWN || w->kind == TF_AWAIT_SLEEP;
}

/* Many of one place at once, and at work: those that wait for a semaphore or a queue are held back by it. */
static void find_crowd(struct task_awaits *s, struct analysis *a, const struct scene *c)
{
	uint64_t *count = calloc(model_job_site_count(a->model) + 1, sizeof(*count));
	size_t sites = model_job_site_count(a->model);

	if (!count)
		abort();
	for (size_t i = 0; i < c->count; i++) {
		const struct model_job *j =
			is_at_work(&c->await[i]) ? model_get_job(a->model, c->await[i].task) : NULL;
		struct finding *f;

		if (!j || j->site >= sites || ++count[j->site] != CROWD)
			continue;
		f = sites_begin(s->sites, a, RULE_UNBOUNDED_TASKS, CONFIDENCE_POTENTIAL,
				j->made.stack, j->id);
		if (!f)
			continue;
		task_locks_add_task(&s->locks, a, f, j->id);
		analysis_add_stack(a, f, ROLE_CREATES, j->made.thread, 0, j->made.stack,
				   j->made.time_ns, NULL, 0)
			->note = "made here";
		analysis_add_stack(a, f, ROLE_AWAITS, c->await[i].thread, 0, c->await[i].stack,
				   c->await[i].time_ns, NULL, 0)
			->note = "what one of them waits for";
		f->title = analysis_printf(
			a, "%u or more tasks made at one place were at work at once", CROWD);
		f->message = analysis_printf(
			a,
			"%s. Nothing limits how many: more input, and memory, connections or descriptors run out. Let a semaphore, or a "
			"queue with a fixed number of workers, hold them back.",
			f->title);
	}
	free(count);
}

/* ---- looks in the order of time ---- */

static void judge_look(struct task_awaits *s, struct analysis *a, size_t from, size_t to)
{
	struct scene c;

	task_locks_look(&s->locks, a->process, a->process->awaits[from].look,
			a->process->awaits[to - 1].time_ns);
	scene_init(&c, s, &a->process->awaits[from], to - from);
	for (size_t i = 0; i < c.count; i++) {
		const struct trace_await *w = &c.await[i];
		struct model_site at = { w->thread, w->stack, w->time_ns };

		if (w->kind == TF_AWAIT_LOCK && w->object)
			task_locks_wait(&s->locks, w->task, w->object, &at,
					c.limited[node_of(&c, w->task)]);
	}
	find_circles(s, a, &c);
	find_crowd(s, a, &c);
	scene_release(&c);
}

/* Where no task made a step since, it holds at the end as well. */
static void judge_end(struct task_awaits *s, struct analysis *a)
{
	const struct trace_process *p = a->process;
	size_t from = p->await_count;
	struct scene c;

	while (from > 0 && p->awaits[from - 1].look == p->awaits[p->await_count - 1].look)
		from--;
	if (from == p->await_count)
		return;
	scene_init(&c, s, &p->awaits[from], p->await_count - from);
	find_circles(s, a,
		     &c); /* told before: what is stuck for that reason is no wait of its own */
	if (is_sealed(s, a, &c))
		find_stuck(s, a, &c);
	scene_release(&c);
}

/* Those that were over before `now_ns`; all with UINT64_MAX. */
static void judge_looks(struct task_awaits *s, struct analysis *a, uint64_t now_ns)
{
	const struct trace_process *p = a->process;

	while (s->cursor < p->await_count) {
		size_t end = s->cursor + 1;

		while (end < p->await_count && p->awaits[end].look == p->awaits[s->cursor].look)
			end++;
		if (p->awaits[end - 1].time_ns >= now_ns)
			return;
		judge_look(s, a, s->cursor, end);
		s->cursor = end;
	}
}

static void task_awaits_on_event(void *state, struct analysis *a, const struct trace_event *event,
				 const struct model_step *step)
{
	struct task_awaits *s = state;

	if (s->cursor < a->process->await_count)
		judge_looks(s, a, event->time_ns);
	if (event->op == TRACE_TASK &&
	    (event->result == TRACE_TASK_CALLED || event->result == TRACE_TASK_RESUMED)) {
		const struct model_job *j = model_get_job(a->model, event->arg);

		if (j && task_locks_holds(j->kind))
			s->stepped_ns = event->time_ns;
	}
	task_locks_apply(&s->locks, a->model, event, step);
}

static void task_awaits_finish(void *state, struct analysis *a)
{
	struct task_awaits *s = state;

	judge_looks(s, a, UINT64_MAX);
	judge_end(s, a);
	sites_commit(s->sites, a);
	task_locks_report(&s->locks, a);
}

#define OP(op) CHECKER_OP(TRACE_##op)

const struct checker checker_task_awaits = {
	.name = "task_awaits",
	.consumes = OP(TASK_NEW) | OP(TASK) | OP(ACQUIRE) | OP(RELEASE) | OP(GONE),
	.begin = task_awaits_begin,
	.on_event = task_awaits_on_event,
	.finish = task_awaits_finish,
	.release = task_awaits_release,
};
