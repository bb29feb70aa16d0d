/* SPDX-License-Identifier: MIT */
/*
 * last_waits.c - the waits that a trace ends with, as stacks to be shown. It judges nothing.
 */
#include "last_waits.h"

#include "../trace/trace_ops.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Of one image. */
enum { MOST = 1000 };

/* A wait of a thread: what stands before the lock, or says it all. */
static const char *const thread_words[] = {
	[TRACE_WAIT_LOCK] = "waits for", [TRACE_WAIT_COND] = "waits on",
	[TRACE_WAIT_SEM] = "waits for",	 [TRACE_WAIT_BARRIER] = "waits at",
	[TRACE_WAIT_ONCE] = "waits for", [TRACE_WAIT_FUTEX] = "waits at",
};

static const char *const task_words[] = {
	[TF_AWAIT_UNKNOWN] = "waits for a future",
	[TF_AWAIT_TASK] = "waits for several",
	[TF_AWAIT_LOCK] = "waits for a lock",
	[TF_AWAIT_SEMAPHORE] = "waits for a semaphore",
	[TF_AWAIT_EVENT] = "waits for an event",
	[TF_AWAIT_CONDITION] = "waits for a condition",
	[TF_AWAIT_GET] = "waits for something in a queue",
	[TF_AWAIT_PUT] = "waits for room in a queue",
	[TF_AWAIT_DONE] = "waits for the work of a queue to be done",
	[TF_AWAIT_SLEEP] = "sleeps",
	[TF_AWAIT_BARRIER] = "waits at a barrier",
};

struct look {
	struct finding_list *list;
	const struct trace_process *process;
	struct finding *f;
};

static const char *thread_label(const struct look *l, uint32_t thread)
{
	const struct trace_process *p = l->process;
	const struct trace_thread *t = thread < p->thread_count ? &p->threads[thread] : NULL;

	if (thread == 1 || (t && t->flags & TF_THREAD_MAIN))
		return "main thread";
	if (t && t->name && *t->name)
		return finding_list_printf(l->list, "thread %" PRIu32 " \"%s\"", thread, t->name);
	return finding_list_printf(l->list, "thread %" PRIu32, thread);
}

static const char *task_label(const struct look *l, uint32_t task)
{
	const struct trace_process *p = l->process;
	const struct trace_task *t = task < p->task_count ? &p->tasks[task] : NULL;
	char context[512] = "";
	bool has = t && trace_context_text(t->context, t->context_count, context, sizeof(context));

	return t && t->name ? finding_list_printf(l->list, "task %s%s%s%s", t->name,
						  has ? " (" : "", context, has ? ")" : "")
			    : finding_list_printf(l->list, "task %" PRIu32, task);
}

static void add(const struct look *l, uint32_t object, uint32_t stack, const char *note)
{
	const struct trace_process *p = l->process;
	struct finding_stack *s;

	if (l->f->stack_count >= MOST)
		return;
	if (object && object < p->object_count) {
		const struct trace_object *o = &p->objects[object];
		struct finding_lock *lock = finding_add_lock(l->list, l->f, object);

		lock->kind = o->kind;
		lock->address = o->address;
		lock->first_seen_stack = o->stack;
		lock->name = o->given_name;
		lock->word = o->word;
	} else {
		object = 0;
	}
	s = finding_add_stack(l->list, l->f, ROLE_WAITS, 0, object, stack);
	s->note = note;
}

static void add_thread(const struct look *l, const struct trace_wait_state *w)
{
	const char *who = thread_label(l, w->thread), *what;
	uint32_t object = w->wait.object;

	switch ((enum trace_wait_kind)w->wait.kind) {
	case TRACE_WAIT_NONE:
		return;
	case TRACE_WAIT_CALL:
		what = finding_list_printf(l->list, "is in %s", trace_call_name(w->wait.other));
		object = 0;
		break;
	case TRACE_WAIT_CHILD:
		what = w->wait.other ? finding_list_printf(l->list, "waits for process %" PRIu32,
							   w->wait.other)
				     : "waits for a child";
		object = 0;
		break;
	case TRACE_WAIT_JOIN:
		what = finding_list_printf(l->list, "joins %s", thread_label(l, w->wait.other));
		object = 0;
		break;
	case TRACE_WAIT_LOCK:
	case TRACE_WAIT_COND:
	case TRACE_WAIT_SEM:
	case TRACE_WAIT_BARRIER:
	case TRACE_WAIT_ONCE:
	case TRACE_WAIT_FUTEX:
	default: /* of a newer minor version */
		what = w->wait.kind < sizeof(thread_words) / sizeof(thread_words[0]) &&
				       thread_words[w->wait.kind]
			       ? thread_words[w->wait.kind]
			       : "waits for";
		break;
	}
	add(l, object, w->wait.stack, finding_list_printf(l->list, "%s %s", who, what));
}

static bool is_newest(const struct trace_process *p, size_t i)
{
	return i < p->await_count && p->awaits[i].look == p->awaits[p->await_count - 1].look;
}

/* What a task waits for may be several lines, one after the other. */
static bool continues(const struct trace_process *p, size_t i)
{
	return i > 0 && is_newest(p, i - 1) && p->awaits[i - 1].task == p->awaits[i].task;
}

static bool is_lock(const struct trace_await *w)
{
	return w->kind == TF_AWAIT_LOCK && w->object;
}

/* `others`: that wait at the same place, and for no lock of their own. */
static void add_task(const struct look *l, size_t i, uint32_t others)
{
	const struct trace_process *p = l->process;
	const struct trace_await *w = &p->awaits[i];
	const char *who = task_label(l, w->task), *what;

	if (w->other)
		what = finding_list_printf(
			l->list, "waits for %s%s", task_label(l, w->other),
			is_newest(p, i + 1) && continues(p, i + 1) ? " and others" : "");
	else if (is_lock(w))
		what = "waits for";
	else
		what = w->kind < sizeof(task_words) / sizeof(task_words[0]) && task_words[w->kind]
			       ? task_words[w->kind]
			       : "waits";
	if (others)
		who = finding_list_printf(l->list, "%s, as %" PRIu32 " more there,", who, others);
	add(l, is_lock(w) ? w->object : 0, w->stack,
	    finding_list_printf(l->list, "%s %s", who, what));
}

/* Of a crowd at one place one is told. */
static void add_tasks(const struct look *l)
{
	const struct trace_process *p = l->process;
	uint32_t *at_stack = calloc(p->stack_count + 1, sizeof(*at_stack));

	if (!at_stack)
		abort();
	for (size_t i = 0; i < p->await_count; i++)
		if (is_newest(p, i) && !continues(p, i) && !is_lock(&p->awaits[i]) &&
		    p->awaits[i].kind != TF_AWAIT_NOTHING && p->awaits[i].stack < p->stack_count)
			at_stack[p->awaits[i].stack]++;
	for (size_t i = 0; i < p->await_count; i++) {
		const struct trace_await *w = &p->awaits[i];

		if (!is_newest(p, i) || continues(p, i) || w->kind == TF_AWAIT_NOTHING)
			continue;
		if (is_lock(w) || w->stack >= p->stack_count || !w->stack) {
			add_task(l, i, 0);
		} else if (at_stack[w->stack]) {
			add_task(l, i, at_stack[w->stack] - 1);
			at_stack[w->stack] = 0;
		}
	}
	free(at_stack);
}

void last_waits_collect(const struct trace_reader *reader, struct finding_list *ret_list)
{
	for (size_t i = 0; i < trace_reader_process_count(reader); i++) {
		struct look l = { .list = ret_list,
				  .process = trace_reader_get_process(reader, i) };
		const struct trace_process *p = l.process;

		if (p->complete || p->exit_kind)
			continue;
		l.f = finding_begin(ret_list, RULE_STUCK_WAIT, CONFIDENCE_HINT, i);
		l.f->title =
			finding_list_printf(ret_list, "process %" PRIu32 " %s", p->pid, p->command);
		for (size_t k = 0; k < p->wait_count; k++)
			if (p->waits[k].thread)
				add_thread(&l, &p->waits[k]);
		add_tasks(&l);
		if (l.f->stack_count)
			finding_commit(ret_list, l.f);
	}
}
