/* SPDX-License-Identifier: MIT */
/*
 * trace_defs_python.c - the definitions that only an interpreted language has: places in its code, names of what is made there.
 */
#include "trace_defs_walk.h"

#include <stdlib.h>
#include <string.h>

static const char *trace_def_text(struct walk *w, const char *text, size_t bytes)
{
	const char *copy = bytes ? trace_text_add(&w->defs->text, text, bytes) : NULL;

	w->no_memory |= bytes && !copy;
	return copy;
}

void trace_def_place(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct tf_def_place d;
	const char *text = (const char *)body + sizeof(d);
	uint32_t room;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	room = def->bytes - (uint32_t)sizeof(d);
	if (!trace_def_id_ok(w, d.place)) {
		return;
	}
	if (d.function_bytes + d.file_bytes + 2u > room) {
		trace_image_damage(w->image, "the names of place %u are cut", d.place);
		return;
	}
	w->defs->process.places[d.place] = (struct trace_code_place){
		.line = d.line,
		.first_line = d.first_line,
		.kind = d.kind,
		.function = trace_def_text(w, text, d.function_bytes),
		.file = trace_def_text(w, text + d.function_bytes + 1, d.file_bytes),
	};
}

/* "queue.Queue jobs" */
void trace_def_python_name(struct walk *w, struct trace_object *o, const char *text)
{
	const char *blank = text ? strchr(text, ' ') : NULL;

	o->word = blank ? trace_text_add(&w->defs->text, text, (size_t)(blank - text)) : text;
	o->given_name = blank && blank[1] ? blank + 1 : o->given_name;
	w->no_memory |= !o->word;
}

void trace_def_site_name(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	size_t stacks = w->defs->process.stack_count;
	struct tf_def_site_name d;
	uint32_t room;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	room = def->bytes - (uint32_t)sizeof(d);
	if (!d.stack || d.stack >= stacks) {
		return;
	}
	if (!w->site_names) {
		w->site_names = calloc(stacks, sizeof(*w->site_names));
	}
	if (w->site_names) {
		w->site_names[d.stack] = trace_text_add(&w->defs->text,
							(const char *)body + sizeof(d),
							d.bytes < room ? d.bytes : room);
	}
	w->no_memory |= !w->site_names || !w->site_names[d.stack];
}

/* After all definitions: the objects that were made at a named place. */
void trace_defs_name_objects(struct walk *w)
{
	struct trace_process *p = &w->defs->process;

	for (size_t i = 1; w->site_names && i < p->object_count; i++) {
		struct trace_object *o = &p->objects[i];

		if (o->kind && !o->word && o->stack < p->stack_count &&
		    (o->attributes >> TF_LIBRARY_SHIFT & TF_LIBRARY_MASK) >= TF_LIBRARY_PYTHON &&
		    w->site_names[o->stack]) {
			trace_def_python_name(w, o, w->site_names[o->stack]);
		}
	}
	free(w->site_names);
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

/* Bounded mode writes a look over an older one: then they are not in order. */
static int compare_awaits(const void *left, const void *right)
{
	const struct trace_await *a = left, *b = right;

	if (a->look != b->look) {
		return a->look < b->look ? -1 : 1;
	}
	return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
}

void trace_defs_order_looks(struct walk *w)
{
	struct trace_process *p = &w->defs->process;

	if (p->flags & TF_PROCESS_BOUNDED) {
		qsort(p->awaits, p->await_count, sizeof(*p->awaits), compare_awaits);
	}
}
