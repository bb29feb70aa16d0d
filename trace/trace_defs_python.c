/* SPDX-License-Identifier: MIT */
/*
 * trace_defs_python.c - the definitions that only an interpreted language has: places in its code, names of what is made there.
 */
#include "trace_defs_walk.h"

#include <stdlib.h>
#include <string.h>

const char *trace_def_text(struct walk *w, const char *text, size_t bytes)
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

void trace_def_gil(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct trace_process *p = &w->defs->process;
	const struct trace_clock *clock = &w->defs->clock;
	struct tf_def_gil d;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	p->gils[p->gil_count++] = (struct trace_gil){
		.thread = trace_def_known(d.thread, p->thread_count),
		.waits = d.waits,
		.wait_ns = trace_clock_span_ns(clock, d.wait_ticks),
		.longest_ns = trace_clock_span_ns(clock, d.longest_ticks),
		.kept_ns = trace_clock_span_ns(clock, d.kept_ticks),
	};
}
