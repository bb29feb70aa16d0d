/* SPDX-License-Identifier: MIT */
/*
 * run_findings.c - gives findings about several processes ids that people can read: threads and
 * locks are numbered within the finding, stacks go back to the process they are of.
 */
#include "run_union.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct translation {
	const struct run_union *u;
	struct finding_list *list;
	struct finding *f;
	uint32_t *thread, *lock; /* owned; united id of each entry of the finding's lists */
};

static uint32_t *checked(uint32_t *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* Number within the finding; an id that it does not list stays as it is. */
static uint32_t number_of(const uint32_t *ids, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return (uint32_t)i + 1;
	return id;
}

static uint32_t thread_number(const struct translation *t, uint32_t id)
{
	return number_of(t->thread, t->f->thread_count, id);
}

static uint32_t lock_number(const struct translation *t, uint32_t id)
{
	return number_of(t->lock, t->f->lock_count, id);
}

/* ---- text ---- */

/* "{thread:1234}" at `at` becomes "{thread:2}"; returns the length read, 0 = no such thing. */
static size_t renumber(const struct translation *t, const char *at, FILE *out)
{
	unsigned id;
	int length = 0;

	if (sscanf(at, "{thread:%u}%n", &id, &length) == 1 && length)
		fprintf(out, "{thread:%u}", thread_number(t, id));
	else if (sscanf(at, "{lock:%u}%n", &id, &length) == 1 && length)
		fprintf(out, "{lock:%u}", lock_number(t, id));
	return (size_t)length;
}

static const char *translate_text(const struct translation *t, const char *text)
{
	char *buffer = NULL;
	size_t bytes = 0;
	const char *result;
	FILE *out;

	if (!text || !strchr(text, '{'))
		return text;
	out = open_memstream(&buffer, &bytes);
	if (!out)
		abort();
	while (*text) {
		size_t used = *text == '{' ? renumber(t, text, out) : 0;

		if (!used)
			fputc(*text, out);
		text += used ? used : 1;
	}
	if (fclose(out))
		abort();
	result = finding_list_printf(t->list, "%s", buffer);
	free(buffer);
	return result;
}

/* ---- parts ---- */

/* The united stack id becomes a local one; returns its image. */
static const struct run_process *to_local_stack(const struct translation *t, uint32_t *stack)
{
	const struct run_processes *run = &t->u->run;
	const struct run_process *p;

	if (!*stack)
		return NULL;
	p = &run->process[run_process_of_stack(run, *stack)];
	*stack -= p->first_stack;
	return p;
}

static void translate_thread(const struct translation *t, size_t i)
{
	const struct run_processes *run = &t->u->run;
	struct finding_thread *thread = &t->f->threads[i];
	const struct run_process *p = &run->process[run_process_of_thread(run, t->thread[i])];
	const struct run_process *created = to_local_stack(t, &thread->created_stack);

	thread->id = (uint32_t)i + 1;
	thread->process = p->index;
	thread->created_process = created ? created->index : p->index;
	thread->pid = p->process->pid;
}

static void translate_lock(const struct translation *t, size_t i)
{
	const struct run_processes *run = &t->u->run;
	struct finding_lock *lock = &t->f->locks[i];
	const struct run_process *p = &run->process[run_process_of_object(run, t->lock[i])];

	lock->id = (uint32_t)i + 1;
	lock->process = p->index;
	lock->object = t->lock[i] - p->first_object;
	to_local_stack(t, &lock->first_seen_stack);
}

static void translate_stack(const struct translation *t, struct finding_stack *s)
{
	const struct run_processes *run = &t->u->run;
	const struct run_process *p = to_local_stack(t, &s->stack);

	if (!p && s->thread)
		p = &run->process[run_process_of_thread(run, s->thread)];
	if (p) {
		s->process = p->index;
		/* Symbols ask which module was loaded then, in the time of the process. */
		s->time_ns = s->time_ns > p->start_ns ? s->time_ns - p->start_ns : 0;
	}
	s->thread = s->thread ? thread_number(t, s->thread) : 0;
	s->for_thread = s->for_thread ? thread_number(t, s->for_thread) : 0;
	s->lock = s->lock ? lock_number(t, s->lock) : 0;
	for (size_t i = 0; i < s->held_count; i++)
		s->held[i] = lock_number(t, s->held[i]);
}

static void translate(const struct run_union *u, struct finding_list *list, struct finding *f)
{
	struct translation t = { .u = u, .list = list, .f = f };

	t.thread = checked(calloc(f->thread_count + 1, sizeof(*t.thread)));
	t.lock = checked(calloc(f->lock_count + 1, sizeof(*t.lock)));
	for (size_t i = 0; i < f->thread_count; i++)
		t.thread[i] = f->threads[i].id;
	for (size_t i = 0; i < f->lock_count; i++)
		t.lock[i] = f->locks[i].id;
	for (size_t i = 0; i < f->stack_count; i++)
		translate_stack(&t, &f->stacks[i]);
	for (size_t i = 0; i < f->thread_count; i++)
		translate_thread(&t, i);
	for (size_t i = 0; i < f->lock_count; i++)
		translate_lock(&t, i);
	f->title = translate_text(&t, f->title);
	f->message = translate_text(&t, f->message);
	f->process = f->thread_count ? f->threads[0].process : u->run.process[0].index;
	free(t.thread);
	free(t.lock);
}

void run_union_translate(const struct run_union *u, struct finding_list *findings, size_t first)
{
	for (size_t i = first; i < finding_list_count(findings); i++)
		translate(u, findings, finding_list_get(findings, i));
}
