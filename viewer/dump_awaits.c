/* SPDX-License-Identifier: MIT */
/*
 * dump_awaits.c - what each task of an interpreter waited for when the recorder looked last: a line for each thing.
 */
#include "../analyzer/report/escape.h"
#include "dump_private.h"
#include "dump_words.h"

#include <inttypes.h>

static const char *const await_words[] = {
	[TF_AWAIT_UNKNOWN] = "waits for a future",
	[TF_AWAIT_NOTHING] = "can go on",
	[TF_AWAIT_TASK] = "waits for several",
	[TF_AWAIT_LOCK] = "waits for a lock",
	[TF_AWAIT_SEMAPHORE] = "waits for a semaphore",
	[TF_AWAIT_EVENT] = "waits for an event",
	[TF_AWAIT_CONDITION] = "waits for a condition",
	[TF_AWAIT_GET] = "waits for something in a queue",
	[TF_AWAIT_PUT] = "waits for room in a queue",
	[TF_AWAIT_DONE] = "waits for the work of a queue",
	[TF_AWAIT_SLEEP] = "sleeps",
	[TF_AWAIT_BARRIER] = "waits at a barrier",
	[TF_AWAIT_IO] = "waits for a descriptor",
};

static const struct dump_bit await_bits[] = {
	{ TF_AWAIT_TIMED, "timed" },
	{ TF_AWAIT_ANY, "any" },
	{ TF_AWAIT_LOOP_TIMERS, "loop-has-timers" },
	{ TF_AWAIT_LOOP_WATCHES, "loop-watches" },
	{ TF_AWAIT_LOOP_UNKNOWN, "loop-unknown" },
	{ TF_AWAIT_LOOP_OVER, "loop-over" },
	{ 0, NULL },
};

static void put_name(const struct dump *d, uint32_t task)
{
	const struct trace_process *p = d->process;

	fprintf(d->out, "task %" PRIu32, task);
	if (task < p->task_count && p->tasks[task].name) {
		putc(' ', d->out);
		escape_terminal(d->out, p->tasks[task].name);
	}
	dump_put_context(d, task);
}

/* " (request_id=42)" */
void dump_put_context(const struct dump *d, uint64_t task)
{
	const struct trace_process *p = d->process;
	char text[512];

	if (task < p->task_count &&
	    trace_context_text(p->tasks[task].context, p->tasks[task].context_count, text,
			       sizeof(text))) {
		fputs(" (", d->out);
		escape_terminal(d->out, text);
		putc(')', d->out);
	}
}

static void put_await(const struct dump *d, const struct trace_await *w)
{
	fputs("# ", d->out);
	put_name(d, w->task);
	if (w->other) {
		fputs(" waits for ", d->out);
		put_name(d, w->other);
	} else {
		fprintf(d->out, " %s",
			w->kind < sizeof(await_words) / sizeof(await_words[0])
				? await_words[w->kind]
				: "waits");
	}
	if (w->object) {
		fputs(", ", d->out);
		dump_put_object(d, w->object);
	} else if (w->subject) {
		fprintf(d->out, " at %#" PRIx64, w->subject);
	}
	if (w->flags) {
		fputs(" flags=", d->out);
		dump_put_bits(d->out, w->flags, await_bits);
	}
	fprintf(d->out, " looked=%" PRIu64 ".%09" PRIu64, w->time_ns / DUMP_NS,
		w->time_ns % DUMP_NS);
	dump_put_chain(d, w->stack, w->time_ns);
	putc('\n', d->out);
}

/* As the task's own records would. */
static bool passes(const struct dump *d, const struct trace_await *w)
{
	const struct trace_event e = { .op = TRACE_TASK,
				       .arg = w->task,
				       .thread = w->thread,
				       .stack = w->stack,
				       .time_ns = w->time_ns };

	return dump_filter_passes(d->options->filter, d->process, &e);
}

void dump_put_awaits(const struct dump *d)
{
	const struct trace_process *p = d->process;

	for (size_t i = 0; i < p->await_count; i++) {
		if (p->awaits[i].look == p->awaits[p->await_count - 1].look &&
		    passes(d, &p->awaits[i])) {
			put_await(d, &p->awaits[i]);
		}
	}
}
