/* SPDX-License-Identifier: MIT */
/*
 * dump.c - one line of text per event.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strerrorname_np */
#endif
#include "dump.h"

#include "../analyzer/report/escape.h"
#include "../trace/trace_ops.h"
#include "dump_private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* ---- pieces of a line ---- */

static void put_time(FILE *out, uint64_t ns)
{
	fprintf(out, "%5" PRIu64 ".%09" PRIu64, ns / DUMP_NS, ns % DUMP_NS);
}

void dump_put_thread(const struct dump *d, uint32_t thread)
{
	const char *name = d->process->threads[thread].name;

	if (!thread) {
		fputs("?", d->out);
		return;
	}
	fprintf(d->out, "%" PRIu32, thread);
	if (name) {
		putc(' ', d->out);
		escape_terminal(d->out, name);
	}
}

void dump_put_object(const struct dump *d, uint32_t object)
{
	if (!object) {
		fputs("?", d->out);
		return;
	}
	for (const char *p = trace_object_kind_name(d->process->objects[object].kind); *p; p++) {
		putc(*p == ' ' ? '-' : *p, d->out);
	}
	fprintf(d->out, "#%" PRIu32, object);
}

static void put_frames(const struct dump *d, dump_frame_fn *say, uint32_t stack, uint64_t time_ns)
{
	const char *frame;

	if (!stack) {
		return;
	}
	fprintf(d->out, " stack=%" PRIu32, stack);
	frame = say ? say(d->options->frame_context, d->index, stack, time_ns) : NULL;
	if (frame) {
		fputs(" (", d->out);
		escape_terminal(d->out, frame);
		putc(')', d->out);
	}
}

void dump_put_stack(const struct dump *d, uint32_t stack, uint64_t time_ns)
{
	put_frames(d, d->options->frame, stack, time_ns);
}

void dump_put_chain(const struct dump *d, uint32_t stack, uint64_t time_ns)
{
	put_frames(d, d->options->chain ? d->options->chain : d->options->frame, stack, time_ns);
}

/* ---- lines ---- */

static void put_event(const struct dump *d, const struct trace_event *e)
{
	const struct trace_op_info *info = &trace_ops[e->op];
	bool has_result = false;

	put_time(d->out, e->time_ns);
	fputs("  ", d->out);
	dump_put_thread(d, e->thread);
	fprintf(d->out, "  %s", info->word);
	if (trace_op_has_object(e->op)) {
		fputs("  ", d->out);
		dump_put_object(d, e->object);
	}
	for (unsigned i = 0; i < info->count; i++) {
		switch ((enum trace_field)info->field[i]) {
		case TRACE_FIELD_P:
			dump_put_other(d, e);
			break;
		case TRACE_FIELD_S:
			dump_put_stack(d, e->stack, e->time_ns);
			break;
		case TRACE_FIELD_A:
			if (!dump_is_special(e->op)) {
				dump_put_argument(d, e);
			}
			break;
		case TRACE_FIELD_R:
			has_result = !dump_is_special(e->op);
			break;
		case TRACE_FIELD_O:
		case TRACE_FIELDS:
		case TRACE_FIELD_END:
			break;
		}
	}
	if (e->has_seq) {
		fprintf(d->out, " seq=%" PRIu64, e->seq);
	}
	dump_put_special(d, e);
	if (has_result) {
		dump_put_result(d, e);
	}
	if (e->synthetic) {
		fputs(" (gap)", d->out);
	}
	putc('\n', d->out);
}

static void put_process(const struct dump *d)
{
	const struct trace_process *p = d->process;

	fprintf(d->out, "# process %s", p->name);
	if (*p->command) {
		fputs(": ", d->out);
		escape_terminal(d->out, p->command);
	}
	putc('\n', d->out);
}

static int dump_process(struct trace_reader *reader, struct dump *d, struct diag *diag)
{
	const struct dump_filter *filter = d->options->filter;
	struct trace_event e;
	int error = trace_reader_rewind(reader, d->index, diag);

	if (error) {
		return error;
	}
	put_process(d);
	dump_put_definitions(d);
	while (trace_reader_next(reader, &e)) {
		if (dump_filter_passes(filter, d->process, &e)) {
			put_event(d, &e);
		}
		if (ferror(d->out)) {
			return diag_set(diag, THRUM_EIO, "writing the dump: %s", strerror(errno));
		}
	}
	for (size_t i = 0; i < d->process->wait_count; i++) {
		const struct trace_wait_state *s = &d->process->waits[i];

		if (s->wait.kind != TRACE_WAIT_NONE &&
		    dump_filter_has_thread(filter, d->process, s->thread)) {
			dump_put_wait(d, s);
		}
	}
	dump_put_awaits(d);
	if (!d->process->complete) {
		fputs("# incomplete: ", d->out);
		escape_terminal(d->out, d->process->why);
		putc('\n', d->out);
	}
	return 0;
}

int dump_write(struct trace_reader *reader, const struct dump_options *options, FILE *out,
	       struct diag *diag)
{
	struct dump d = { .options = options, .out = out };
	int error = 0;

	for (d.index = 0; d.index < trace_reader_process_count(reader) && !error; d.index++) {
		d.process = trace_reader_get_process(reader, d.index);
		if (dump_filter_has_process(options->filter, d.process)) {
			error = dump_process(reader, &d, diag);
		}
	}
	if (!error && (fflush(out) || ferror(out))) {
		error = diag_set(diag, THRUM_EIO, "writing the dump: %s", strerror(errno));
	}
	return error;
}
