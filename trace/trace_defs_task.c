/* SPDX-License-Identifier: MIT */
/*
 * trace_defs_task.c - the definitions of tasks: names, whose work they do, what they waited for when somebody looked, locks that they hold.
 */
#include "trace_defs_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void trace_def_task(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct trace_process *p = &w->defs->process;
	struct trace_task *t;
	struct tf_def_task d;
	const struct tf_task_live *live;
	uint32_t room;
	char *name = NULL;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	room = def->bytes - (uint32_t)sizeof(d);
	if (!trace_def_id_ok(w, d.task)) {
		return;
	}
	live = def->flags & TF_TASK_SLOT && room >= sizeof(*live) && w->defs->task_born
		       ? (const void *)(body + def->bytes -
					sizeof(*live)) /* 8-aligned: see copy_meta */
		       : NULL;
	if (live && !live->kind) {
		return; /* it is being written, or was never used */
	}
	room -= live ? (uint32_t)sizeof(*live) : 0;
	if (d.bytes) {
		name = trace_text_add(&w->defs->text, (const char *)body + sizeof(d),
				      d.bytes < room ? d.bytes : room);
		w->no_memory |= !name;
	}
	if (p->tasks[d.task].defined) { /* it was given another name */
		p->tasks[d.task].name = name ? name : p->tasks[d.task].name;
		return;
	}
	t = &p->tasks[d.task];
	t->defined = true;
	t->parent = trace_def_known(d.parent, p->task_count);
	t->thread = trace_def_known(d.thread, p->thread_count);
	t->stack = trace_def_known(d.stack, p->stack_count);
	t->correlation = d.correlation;
	t->time_ns = trace_clock_ns(&w->defs->clock, d.ticks);
	t->name = name;
	t->live = live;
	if (live) {
		w->defs->task_born[d.task] = d.ticks;
	}
}

/* ---- looks at what tasks wait for ---- */

void trace_def_await(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct trace_process *p = &w->defs->process;
	struct tf_def_await d;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	p->awaits[p->await_count++] = (struct trace_await){
		.task = d.task,
		.look = d.look,
		.other = d.other,
		.object = trace_def_known(d.object, p->object_count),
		.stack = trace_def_known(d.stack, p->stack_count),
		.thread = trace_def_known(d.thread, p->thread_count),
		.subject = d.subject,
		.kind = d.kind,
		.flags = def->flags,
		.loop = trace_def_known(d.loop, p->object_count),
		.time_ns = trace_clock_ns(&w->defs->clock, d.ticks),
	};
}

void trace_def_task_lock(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct trace_process *p = &w->defs->process;
	struct trace_task_lock *l = &p->task_locks[p->task_lock_count];
	struct tf_def_task_lock d;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	*l = (struct trace_task_lock){
		.what = def->flags,
		.object = trace_def_known(d.object, p->object_count),
		.task = d.task,
		.stack = trace_def_known(d.stack, p->stack_count),
		.thread = trace_def_known(d.thread, p->thread_count),
		.time_ns = trace_clock_ns(&w->defs->clock, d.ticks),
		.look = d.look,
		.held = trace_def_known(d.held, p->object_count),
		.held_stack = trace_def_known(d.held_stack, p->stack_count),
		.held_ns = trace_clock_ns(&w->defs->clock, d.held_ticks),
	};
	for (unsigned i = 0; i < TF_TASK_LOCKS_ALSO; i++) {
		l->also[i] = trace_def_known(d.also[i], p->object_count);
	}
	p->task_lock_count++;
}

/* In bounded mode they are not in order: the newest look counts, and of what is said in one look the last. */
void trace_def_task_context(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct trace_process *p = &w->defs->process;
	struct trace_context_pair *first = &p->contexts[p->context_count];
	const char *text = (const char *)body + sizeof(struct tf_def_task_context), *end;
	struct tf_def_task_context d;
	struct trace_task *t;
	uint32_t count = 0;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	if (!trace_def_id_ok(w, d.task)) {
		return;
	}
	t = &p->tasks[d.task];
	if (t->context && t->context_look > d.look) {
		return;
	}
	end = text + (d.bytes < def->bytes - sizeof(d) ? d.bytes : def->bytes - sizeof(d));
	while (count < TF_CONTEXT_PAIRS && text < end && *text) {
		const char *value = memchr(text, 0, (size_t)(end - text));
		const char *next = value ? memchr(value + 1, 0, (size_t)(end - value - 1)) : NULL;

		if (!next) {
			break; /* cut */
		}
		first[count].name = trace_def_text(w, text, (size_t)(value - text));
		first[count++].value =
			def->flags & TF_CONTEXT_REDACTED
				? NULL
				: trace_def_text(w, value + 1, (size_t)(next - value - 1));
		text = next + 1;
	}
	t->context = count ? first : NULL;
	t->context_count = count;
	t->context_look = d.look;
	t->context_ns = trace_clock_ns(&w->defs->clock, d.ticks);
	p->context_count += count;
}

size_t trace_context_text(const struct trace_context_pair *pair, size_t count, char *buffer,
			  size_t bytes)
{
	size_t used = 0;

	*buffer = '\0';
	for (size_t i = 0; i < count && pair[i].name; i++) {
		int n = snprintf(buffer + used, bytes - used, "%s%s%s%s", used ? ", " : "",
				 pair[i].name, pair[i].value ? "=" : "",
				 pair[i].value ? pair[i].value : "");

		used = n < 0 ? used : used + (size_t)n;
		if (used >= bytes)
			return bytes - 1;
	}
	return used;
}

/* Bounded mode writes a look over an older one: then they are not in order. */
static int compare_awaits(const void *left, const void *right)
{
	const struct trace_await *a = left, *b = right;

	if (a->look != b->look) {
		return a->look < b->look ? -1 : 1;
	}
	return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
}

/* A number that was given out again is a former task's in what is older than its task. */
static bool is_former(const struct trace_defs *defs, uint32_t task, uint64_t time_ns)
{
	return defs->task_born && task < defs->process.task_count && defs->task_born[task] &&
	       trace_clock_ns(&defs->clock, defs->task_born[task]) > time_ns;
}

static void forget_former_in_looks(struct trace_defs *defs)
{
	struct trace_process *p = &defs->process;
	size_t kept = 0;

	for (size_t i = 0; i < p->await_count; i++) {
		struct trace_await *a = &p->awaits[i];

		if (is_former(defs, a->task, a->time_ns)) {
			continue;
		}
		if (is_former(defs, a->other, a->time_ns)) { /* it is over */
			a->other = 0;
			a->kind = TF_AWAIT_UNKNOWN;
		}
		p->awaits[kept++] = *a;
	}
	p->await_count = kept;
	kept = 0;
	for (size_t i = 0; i < p->task_lock_count; i++) {
		if (!is_former(defs, p->task_locks[i].task, p->task_locks[i].time_ns)) {
			p->task_locks[kept++] = p->task_locks[i];
		}
	}
	p->task_lock_count = kept;
}

void trace_defs_forget_former(struct walk *w)
{
	struct trace_defs *defs = w->defs;
	struct trace_process *p = &defs->process;

	if (!defs->task_born) {
		return;
	}
	forget_former_in_looks(defs);
	for (size_t i = 1; i < p->task_count; i++) {
		struct trace_task *t = &p->tasks[i];

		if (t->context_count && is_former(defs, (uint32_t)i, t->context_ns)) {
			t->context = NULL;
			t->context_count = 0;
		}
		if (!t->live) {
			continue;
		}
		if (defs->task_born[t->parent] > defs->task_born[i]) {
			t->parent = 0;
		}
		if (defs->thread_born[t->thread] > defs->task_born[i]) {
			t->thread = 0;
		}
	}
}

void trace_defs_order_looks(struct walk *w)
{
	struct trace_process *p = &w->defs->process;

	if (p->flags & TF_PROCESS_BOUNDED) {
		qsort(p->awaits, p->await_count, sizeof(*p->awaits), compare_awaits);
	}
}
