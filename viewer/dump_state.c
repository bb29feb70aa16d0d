/* SPDX-License-Identifier: MIT */
/*
 * dump_state.c - the lines of dump that are no events: objects with names, threads that are blocked.
 */
#include "dump_private.h"

#include "../analyzer/report/escape.h"
#include "dump_words.h"

#include <inttypes.h>

static void put_quoted(const struct dump *d, const char *key, const char *text)
{
	if (text) {
		fprintf(d->out, " %s=\"", key);
		escape_terminal(d->out, text);
		putc('"', d->out);
	}
}

void dump_put_definitions(const struct dump *d)
{
	const struct trace_process *p = d->process;

	for (size_t i = 1; i < p->object_count; i++) {
		const struct trace_object *o = &p->objects[i];

		if ((!o->identity && !o->name && !o->given_name && !o->class_name &&
		     !o->was_locked) ||
		    !dump_filter_has_object(d->options->filter, d->process, (uint32_t)i)) {
			continue;
		}
		fputs("# ", d->out);
		dump_put_object(d, (uint32_t)i);
		put_quoted(d, "name", o->given_name ? o->given_name : o->name);
		put_quoted(d, "class", o->class_name);
		if (o->identity) {
			fputs(" is ", d->out);
			dump_put_identity(d->out, o->identity);
		}
		if (o->was_locked) {
			fputs(" was locked when first seen", d->out);
		}
		if (o->owner_tid) {
			fprintf(d->out, " by tid %" PRIu32, o->owner_tid);
		}
		putc('\n', d->out);
	}
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

void dump_put_wait(const struct dump *d, const struct trace_wait_state *s)
{
	fputs("# thread ", d->out);
	dump_put_thread(d, s->thread);
	fprintf(d->out, " %s ", wait_word(s->wait.kind));
	if (s->wait.kind == TRACE_WAIT_JOIN) {
		fputs("thread ", d->out);
		dump_put_thread(d, s->wait.other);
	} else if (s->wait.kind == TRACE_WAIT_CHILD) {
		fprintf(d->out, s->wait.other ? "%" PRIu32 : "any", s->wait.other);
	} else if (s->wait.kind == TRACE_WAIT_CALL) {
		fputs(trace_call_name(s->wait.other), d->out);
		if (s->wait.object) {
			fputs(" of ", d->out);
			dump_put_object(d, s->wait.object);
		}
	} else {
		dump_put_object(d, s->wait.object);
	}
	if (s->wait.kind == TRACE_WAIT_FUTEX) {
		fprintf(d->out, " while it is %#" PRIx32, s->wait.other);
	}
	if (s->wait.kind == TRACE_WAIT_COND) {
		fputs(" with ", d->out);
		dump_put_object(d, s->wait.other);
	}
	fprintf(d->out, " since %" PRIu64 ".%09" PRIu64, s->since_ns / DUMP_NS,
		s->since_ns % DUMP_NS);
	if (s->wait.mode) {
		fputs(" mode=", d->out);
		dump_put_bits(d->out, s->wait.mode, dump_mode_bits);
	}
	dump_put_stack(d, s->wait.stack, s->since_ns);
	putc('\n', d->out);
}
