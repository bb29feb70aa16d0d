/* SPDX-License-Identifier: MIT */
/*
 * export_std.c - the events of a trace as STD text: THREAD|OP(OBJECT)|PLACE. docs/std-traces.md tells what becomes what.
 *
 * Keeps the events of one process in memory.
 */
#include "../analyzer/recorded/recorded.h"
#include "export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writer {
	const struct export_source *source;
	size_t process;
	struct recorded *recorded;
	struct trace_memory *memory; /* NULL = no accesses */
	const struct predict_sequence *sequence;
	char **place;	 /* owned, and the words; by place; NULL = not asked for yet */
	uint32_t *stack; /* owned; by place: its stack in the process */
	char before[32]; /* all names of a process, where there are several */
	FILE *out;
};

static const char *const op_words[] = {
	[PREDICT_READ] = "r",	 [PREDICT_WRITE] = "w",	      [PREDICT_ACQUIRE] = "acq",
	[PREDICT_TRY] = "acq",	 [PREDICT_RELEASE] = "rel",   [PREDICT_REQUEST] = "req",
	[PREDICT_WAIT] = "wait", [PREDICT_NOTIFY] = "notify", [PREDICT_FORK] = "fork",
	[PREDICT_JOIN] = "join",
};

/* ---- names ---- */

static void put_lock(const struct writer *w, uint32_t lock)
{
	static const char *const kinds[] = {
		[RECORDED_OBJECT] = "lock",   [RECORDED_READER] = "read",
		[RECORDED_SIGNAL] = "signal", [RECORDED_ROUND] = "round",
		[RECORDED_TASK] = "task",     [RECORDED_ADDRESS] = "address",
	};
	struct recorded_lock l = recorded_lock(w->recorded, lock);
	const struct trace_process *p = trace_reader_get_process(w->source->reader, w->process);

	fputs(w->before, w->out);
	if (l.kind == RECORDED_OBJECT && p->objects && l.id < p->object_count)
		fprintf(w->out, "%s#%llu", trace_object_kind_name(p->objects[l.id].kind),
			(unsigned long long)l.id);
	else if (l.kind == RECORDED_ADDRESS)
		fprintf(w->out, "0x%llx", (unsigned long long)l.id);
	else
		fprintf(w->out, "%s#%llu", kinds[l.kind], (unsigned long long)l.id);
	if (l.kind == RECORDED_READER || l.kind == RECORDED_ROUND)
		fprintf(w->out, ".%u", l.thread);
}

static void put_object(const struct writer *w, const struct predict_event *e)
{
	switch ((enum predict_op)e->op) {
	case PREDICT_READ:
	case PREDICT_WRITE:
		fprintf(w->out, "%s0x%llx", w->before,
			(unsigned long long)recorded_variable(w->recorded, e->object).address);
		fprintf(w->out, ".%u", e->object);
		break;
	case PREDICT_FORK:
	case PREDICT_JOIN:
		fprintf(w->out, "T%s%u", w->before, recorded_thread(w->recorded, e->object));
		break;
	case PREDICT_ACQUIRE:
	case PREDICT_TRY:
	case PREDICT_RELEASE:
	case PREDICT_REQUEST:
	case PREDICT_WAIT:
	case PREDICT_NOTIFY:
	case PREDICT_UNKNOWN:
		put_lock(w, e->object);
		break;
	}
}

/* ---- places ---- */

static uint32_t stack_of(const struct writer *w, const struct recorded_place *p)
{
	uint64_t ip[64];

	if (!p->pc || !w->memory)
		return p->stack;
	ip[0] = p->pc;
	return trace_process_add_stack(trace_reader_get_process(w->source->reader, w->process), ip,
				       1 + trace_memory_stack(w->memory, p->node, ip + 1, 63));
}

/* Nothing that the form uses for itself. */
static char *place_words(const struct writer *w, uint32_t place)
{
	struct recorded_place p = recorded_place(w->recorded, place);
	uint32_t stack = w->stack[place];
	struct frames frames;
	const char *file = NULL;
	char text[512], *copy;

	if (stack && w->source->frames(w->source->context, w->process, stack, p.time_ns, &frames))
		for (size_t i = 0; i < frames.count && !file; i++) {
			file = frames.frame[i].file;
			if (file)
				snprintf(text, sizeof(text), "%s:%d",
					 strrchr(file, '/') ? strrchr(file, '/') + 1 : file,
					 frames.frame[i].line);
		}
	if (!file)
		snprintf(text, sizeof(text), "%s%u", p.pc ? "access-" : "stack-",
			 p.pc ? place : stack);
	copy = strdup(text);
	if (!copy)
		abort();
	for (char *c = copy; *c; c++)
		if (*c == '|' || *c == '\n' || *c == '\r')
			*c = '_';
	return copy;
}

static const char *place_of(struct writer *w, uint32_t place)
{
	if (!w->place[place])
		w->place[place] = place_words(w, place);
	return w->place[place];
}

/* ---- events ---- */

/* Atomic operations do not race: what a read sees comes before it, that is all. */
static const char *word_of(const struct writer *w, const struct predict_event *e)
{
	if (e->op == PREDICT_READ && recorded_place(w->recorded, e->place).is_atomic)
		return op_words[PREDICT_WAIT];
	if (e->op == PREDICT_WRITE && recorded_place(w->recorded, e->place).is_atomic)
		return op_words[PREDICT_NOTIFY];
	return op_words[e->op];
}

static void put_event(struct writer *w, const struct predict_event *e)
{
	if (e->op == PREDICT_UNKNOWN)
		return;
	fprintf(w->out, "T%s%u|%s(", w->before, recorded_thread(w->recorded, e->thread),
		word_of(w, e));
	put_object(w, e);
	fprintf(w->out, ")|%s\n", place_of(w, e->place));
}

static void put_sequence(struct writer *w)
{
	uint32_t places = w->sequence->places.count;

	w->place = calloc(places + 1, sizeof(*w->place));
	w->stack = calloc(places + 1, sizeof(*w->stack));
	if (!w->place || !w->stack)
		abort();
	/* All before the first is resolved: symbols are of the stacks that there are then. */
	for (uint32_t i = 0; i < places; i++) {
		struct recorded_place p = recorded_place(w->recorded, i);

		w->stack[i] = stack_of(w, &p);
	}
	for (size_t i = 0; i < w->sequence->count && !ferror(w->out); i++)
		put_event(w, &w->sequence->event[i]);
	for (uint32_t i = 0; i < places; i++)
		free(w->place[i]);
	free(w->place);
	free(w->stack);
}

static void on_event(void *cookie, const struct trace_event *event)
{
	recorded_event(cookie, event);
}
static void on_item(void *cookie, const struct memory_moment *at, const struct trace_memory_item *i)
{
	recorded_item(cookie, at, i);
}
static void on_release(void *cookie, const struct memory_moment *at,
		       const struct trace_memory_item *i)
{
	recorded_release(cookie, at, i);
}
static void on_acquire(void *cookie, const struct memory_moment *at,
		       const struct trace_memory_item *i)
{
	recorded_acquire(cookie, at, i);
}
static void on_gap(void *cookie)
{
	recorded_gap(cookie);
}

/* All events of the process, and its accesses where there are any. */
static void feed(struct writer *w, const struct trace_process *process)
{
	struct memory_sink sink = { w->recorded, on_event, on_item, on_release,
				    on_acquire,	 on_gap,   NULL };
	struct memory_replay *replay = w->memory ? memory_replay_new(process, w->memory, &sink)
						 : NULL;
	struct trace_event event;

	while (trace_reader_next(w->source->reader, &event) == 1)
		if (replay)
			memory_replay_event(replay, &event, 0);
		else
			recorded_event(w->recorded, &event);
	if (replay)
		memory_replay_finish(replay);
	memory_replay_free(replay);
}

static int write_process(struct writer *w, struct diag *diag)
{
	const struct trace_process *process =
		trace_reader_get_process(w->source->reader, w->process);
	int error = trace_reader_rewind(w->source->reader, w->process, diag);
	struct diag why;

	if (error)
		return error;
	w->memory = NULL;
	if (process->memory_path && !(process->flags & TF_PROCESS_BOUNDED) &&
	    trace_memory_open(process->memory_path, &w->memory, &why))
		w->memory = NULL;
	w->recorded = recorded_new(process, w->memory);
	feed(w, process);
	w->sequence = recorded_finish(w->recorded);
	put_sequence(w);
	recorded_free(w->recorded);
	trace_memory_free(w->memory);
	return 0;
}

int export_std_write(const struct export_source *source, FILE *out, struct diag *diag)
{
	size_t count = trace_reader_process_count(source->reader);
	struct writer w = { .source = source, .out = out };
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		w.process = i;
		if (count > 1)
			snprintf(w.before, sizeof(w.before), "%s.",
				 trace_reader_get_process(source->reader, i)->name);
		error = write_process(&w, diag);
		if (!error && ferror(out))
			error = diag_set(diag, THRUM_EIO, "cannot write: %s", strerror(errno));
	}
	return error;
}
