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

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#define NS 1000000000u

/* What is being written and for which process. */
struct dump {
	const struct dump_options *options;
	const struct trace_process *process;
	size_t index;
	FILE *out;
};

/* ---- words of arguments ---- */

struct bit {
	uint64_t bit;
	const char *word;
};

static const struct bit mode_bits[] = {
	{ TRACE_MODE_SHARED, "shared" },
	{ TRACE_MODE_TRY, "try" },
	{ TRACE_MODE_TIMED, "timed" },
	{ TRACE_MODE_UNLOCKED, "mutex-not-held" },
	{ 0, NULL },
};

static const struct bit destroy_bits[] = {
	{ TRACE_DESTROY_LOCKED, "locked" },
	{ TRACE_DESTROY_WAITED, "waited-on" },
	{ 0, NULL },
};

static const char *const gone_words[] = {
	[TRACE_GONE_FREED] = "freed",
	[TRACE_GONE_UNMAPPED] = "unmapped",
	[TRACE_GONE_STACK] = "stack-frame-over",
	[TRACE_GONE_REINIT] = "initialised-again",
	[TRACE_GONE_MODULE] = "module-unloaded",
};
static const char *const exit_words[] = {
	[TRACE_EXIT_DESTRUCTORS] = "exit",
	[TRACE_EXIT_QUICK] = "_exit",
	[TRACE_EXIT_EXEC] = "exec",
};
static const char *const end_words[] = { "returned", "pthread_exit", "cancelled" };
static const char *const once_words[] = { "done", "aborted" };
static const char *const wake_words[] = { NULL, "cancelled" };
static const char *const pass_words[] = { NULL, "waited" };

/* How the A of an op reads. Ops without a row show a plain number. */
static const struct {
	const char *key; /* "key=" in front */
	const struct bit *bits;
	const char *const *words;
	size_t word_count;
	bool hide_zero;
} arguments[TF_OPS] = {
#define WORDS(array) .words = array, .word_count = sizeof(array) / sizeof(array[0])
	[TRACE_THREAD_END] = { "how", WORDS(end_words) },
	[TRACE_REQUEST] = { "mode", .bits = mode_bits, .hide_zero = true },
	[TRACE_ACQUIRE_FAIL] = { "mode", .bits = mode_bits, .hide_zero = true },
	[TRACE_ACQUIRE_OWNERDEAD] = { "mode", .bits = mode_bits, .hide_zero = true },
	[TRACE_COND_WAIT] = { "mode", .bits = mode_bits, .hide_zero = true },
	[TRACE_DESTROY] = { "state", .bits = destroy_bits, .hide_zero = true },
	[TRACE_GONE] = { "why", WORDS(gone_words) },
	[TRACE_COND_WAKE] = { "how", WORDS(wake_words), .hide_zero = true },
	[TRACE_ONCE_END] = { "how", WORDS(once_words) },
	[TRACE_ONCE_PASS] = { "how", WORDS(pass_words), .hide_zero = true },
	[TRACE_PROCESS_EXIT] = { "how", WORDS(exit_words) },
	[TRACE_COND_SIGNAL] = { "waiters", .hide_zero = false },
	[TRACE_COND_BROADCAST] = { "waiters", .hide_zero = false },
	[TRACE_LOST] = { "events", .hide_zero = false },
	[TRACE_FORK] = { "pid", .hide_zero = false },
#undef WORDS
};

/* ---- pieces of a line ---- */

static void put_time(FILE *out, uint64_t ns)
{
	fprintf(out, "%5" PRIu64 ".%09" PRIu64, ns / NS, ns % NS);
}

static void put_thread(const struct dump *d, uint32_t thread)
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

static void put_object(const struct dump *d, uint32_t object)
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

static void put_stack(const struct dump *d, uint32_t stack, uint64_t time_ns)
{
	const char *frame;

	if (!stack) {
		return;
	}
	fprintf(d->out, " stack=%" PRIu32, stack);
	frame = d->options->frame
			? d->options->frame(d->options->frame_context, d->index, stack, time_ns)
			: NULL;
	if (frame) {
		fputs(" (", d->out);
		escape_terminal(d->out, frame);
		putc(')', d->out);
	}
}

static void put_bits(FILE *out, uint64_t value, const struct bit *bits)
{
	const char *separator = "";

	for (; bits->word; bits++) {
		if (value & bits->bit) {
			fprintf(out, "%s%s", separator, bits->word);
			separator = "|";
			value &= ~bits->bit;
		}
	}
	if (value || !*separator) {
		fprintf(out, "%s%#" PRIx64, separator, value);
	}
}

static void put_argument(const struct dump *d, const struct trace_event *e)
{
	const char *key = arguments[e->op].key;
	const char *word = NULL;

	switch (trace_op_arg(e->op)) {
	case TRACE_ARG_THREAD:
		fputs(" thread=", d->out);
		put_thread(d, (uint32_t)e->arg);
		return;
	case TRACE_ARG_OWNER:
		fputs(" owner=", d->out);
		if (e->arg == UINT64_MAX) {
			fputs("never-seen-locked", d->out);
		} else if (!e->arg) {
			fputs("none", d->out);
		} else {
			put_thread(d, (uint32_t)e->arg);
		}
		return;
	case TRACE_ARG_PLAIN:
		break;
	}
	if (!e->arg && arguments[e->op].hide_zero) {
		return;
	}
	fprintf(d->out, " %s=", key ? key : "arg");
	if (arguments[e->op].bits) {
		put_bits(d->out, e->arg, arguments[e->op].bits);
		return;
	}
	if (e->arg < arguments[e->op].word_count) {
		word = arguments[e->op].words[e->arg];
	}
	if (word) {
		fputs(word, d->out);
	} else {
		fprintf(d->out, "%" PRIu64, e->arg);
	}
}

static void put_result(const struct dump *d, const struct trace_event *e)
{
	const char *name = e->result > 0 ? strerrorname_np(e->result) : NULL;

	if (e->op == TRACE_BARRIER_LEAVE && e->result == PTHREAD_BARRIER_SERIAL_THREAD) {
		name = "serial-thread";
	}
	if (name) {
		fprintf(d->out, " = %s", name);
	} else if (e->result) {
		fprintf(d->out, " = %" PRId32, e->result);
	} else {
		fputs(" = 0", d->out);
	}
}

static void put_other(const struct dump *d, const struct trace_event *e)
{
	if (e->op == TRACE_REQUEST) {
		if (e->other) {
			fputs(" holder=", d->out);
			put_thread(d, e->other);
		}
		return;
	}
	putc(' ', d->out);
	put_object(d, e->other);
}

/* ---- lines ---- */

static void put_event(const struct dump *d, const struct trace_event *e)
{
	const struct trace_op_info *info = &trace_ops[e->op];
	bool has_result = false;

	put_time(d->out, e->time_ns);
	fputs("  ", d->out);
	put_thread(d, e->thread);
	fprintf(d->out, "  %s", info->word);
	if (trace_op_has_object(e->op)) {
		fputs("  ", d->out);
		put_object(d, e->object);
	}
	for (unsigned i = 0; i < info->count; i++) {
		switch ((enum trace_field)info->field[i]) {
		case TRACE_FIELD_P:
			put_other(d, e);
			break;
		case TRACE_FIELD_S:
			put_stack(d, e->stack, e->time_ns);
			break;
		case TRACE_FIELD_A:
			put_argument(d, e);
			break;
		case TRACE_FIELD_R:
			has_result = true;
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
	if (has_result) {
		put_result(d, e);
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

/* What a blocked thread waits for; the word stands in front of object or thread. */
static const char *wait_word(uint32_t kind)
{
	switch ((enum trace_wait_kind)kind) {
	case TRACE_WAIT_LOCK:
		return "waits for";
	case TRACE_WAIT_COND:
		return "waits on";
	case TRACE_WAIT_SEM:
		return "waits for a post of";
	case TRACE_WAIT_BARRIER:
		return "waits at";
	case TRACE_WAIT_ONCE:
		return "waits for the initialiser of";
	case TRACE_WAIT_JOIN:
		return "joins";
	case TRACE_WAIT_CHILD:
		return "waits for child";
	case TRACE_WAIT_FUTEX:
		return "waits at";
	case TRACE_WAIT_CALL:
		return "is in";
	case TRACE_WAIT_NONE:
		break;
	}
	return "waits for";
}

static void put_wait(const struct dump *d, const struct trace_wait_state *s)
{
	fputs("# thread ", d->out);
	put_thread(d, s->thread);
	fprintf(d->out, " %s ", wait_word(s->wait.kind));
	if (s->wait.kind == TRACE_WAIT_JOIN) {
		fputs("thread ", d->out);
		put_thread(d, s->wait.other);
	} else if (s->wait.kind == TRACE_WAIT_CHILD) {
		fprintf(d->out, s->wait.other ? "%" PRIu32 : "any", s->wait.other);
	} else {
		if (s->wait.kind == TRACE_WAIT_CALL) {
			fprintf(d->out, "%s ", trace_call_name(s->wait.other));
		}
		put_object(d, s->wait.object);
	}
	if (s->wait.kind == TRACE_WAIT_COND) {
		fputs(" with ", d->out);
		put_object(d, s->wait.other);
	}
	fprintf(d->out, " since %" PRIu64 ".%09" PRIu64, s->since_ns / NS, s->since_ns % NS);
	if (s->wait.mode) {
		fputs(" mode=", d->out);
		put_bits(d->out, s->wait.mode, mode_bits);
	}
	put_stack(d, s->wait.stack, s->since_ns);
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
			put_wait(d, s);
		}
	}
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
