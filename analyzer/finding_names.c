/* SPDX-License-Identifier: MIT */
/*
 * finding_names.c - puts names in the place of {lock:ID}, {thread:ID} and {task:ID} in titles, messages and the notes of stacks.
 *
 * Runs after symbolisation, because only then locks have names. A named lock reads "mutex
 * g_accounts"; several unnamed ones of a kind are told apart by their place in the finding's list:
 * "mutex #2". A message says of a task whose work it does, where it names it first: "task handle (request_id=42)"; a note of a task that the
 * message does not name. A title does not: it is the same in each run.
 */
#include "checker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
	char *bytes; /* owned */
	size_t length, capacity;
	uint64_t *
		told; /* tasks whose context was said, by place in the finding's list; NULL = say none */
};

static void append(struct text *t, const char *bytes, size_t count)
{
	if (t->length + count + 1 > t->capacity) {
		t->capacity = (t->length + count + 1) * 2;
		t->bytes = realloc(t->bytes, t->capacity);
		if (!t->bytes)
			abort();
	}
	memcpy(t->bytes + t->length, bytes, count);
	t->length += count;
	t->bytes[t->length] = '\0';
}

static void append_lock(struct text *t, const struct finding *f, unsigned long id)
{
	char buffer[64], name[1024];

	for (size_t i = 0; i < f->lock_count; i++) {
		if (f->locks[i].id != id)
			continue;
		finding_lock_text(f, &f->locks[i], name, sizeof(name));
		append(t, name, strlen(name));
		return;
	}
	append(t, buffer, (size_t)snprintf(buffer, sizeof(buffer), "lock %lu", id));
}

static void append_thread(struct text *t, const struct finding *f, unsigned long id)
{
	char buffer[64];

	for (size_t i = 0; i < f->thread_count; i++)
		if (f->threads[i].id == id && f->threads[i].label) {
			append(t, f->threads[i].label, strlen(f->threads[i].label));
			return;
		}
	append(t, buffer, (size_t)snprintf(buffer, sizeof(buffer), "thread %lu", id));
}

/* Another task of the finding goes by the same words. */
static bool is_ambiguous(const struct finding *f, const struct finding_task *task)
{
	for (size_t i = 0; i < f->task_count; i++) {
		const struct finding_task *other = &f->tasks[i];

		if (other != task && !strcmp(other->kind, task->kind) &&
		    !other->callback == !task->callback &&
		    (!task->callback || !strcmp(other->callback, task->callback)))
			return true;
	}
	return false;
}

/* " (request_id=42)" */
static void append_context(struct text *t, const struct finding_task *task)
{
	char buffer[512];
	size_t bytes =
		trace_context_text(task->context, task->context_count, buffer, sizeof(buffer));

	if (bytes) {
		append(t, " (", 2);
		append(t, buffer, bytes);
		append(t, ")", 1);
	}
}

/* "timer callback on_tick", "timer #2": those of one finding are told apart. */
static void append_task(struct text *t, const struct finding *f, unsigned long id)
{
	char buffer[64];

	for (size_t i = 0; i < f->task_count; i++) {
		const struct finding_task *task = &f->tasks[i];

		if (task->id != id)
			continue;
		append(t, task->kind, strlen(task->kind));
		if (task->callback) {
			append(t, " ", 1);
			append(t, task->callback, strlen(task->callback));
		}
		if (task->callback ? is_ambiguous(f, task) : f->task_count > 1) {
			append(t, buffer, (size_t)snprintf(buffer, sizeof(buffer), " #%zu", i + 1));
		}
		if (t->told && !(*t->told >> i % 64 & 1)) {
			append_context(t, task);
			*t->told |= UINT64_C(1) << i % 64;
		}
		return;
	}
	append(t, buffer, (size_t)snprintf(buffer, sizeof(buffer), "task %lu", id));
}

/* "deposit bank.c:12": the innermost frame whose line is known. */
static void append_place(struct text *t, const struct finding *f, unsigned long step, bool is_end)
{
	const struct frames *frames = step >= f->step_count ? NULL
				      : is_end		    ? &f->steps[step].to
							    : &f->steps[step].from;
	const struct frame *frame = NULL;
	char buffer[1024];
	int bytes;

	for (size_t i = 0; frames && i < frames->count && !(frame && frame->file); i++)
		if (frames->frame[i].function)
			frame = &frames->frame[i];
	if (!frame)
		bytes = snprintf(buffer, sizeof(buffer), "an unknown place");
	else if (!frame->file)
		bytes = snprintf(buffer, sizeof(buffer), "%s", frame->function);
	else
		bytes = snprintf(buffer, sizeof(buffer), "%s %s:%d", frame->function,
				 strrchr(frame->file, '/') ? strrchr(frame->file, '/') + 1
							   : frame->file,
				 frame->line);
	append(t, buffer, (size_t)bytes < sizeof(buffer) ? (size_t)bytes : sizeof(buffer) - 1);
}

/* Length of the placeholder at `at`, 0 = none; what it names goes to `t`. */
static size_t expand_one(struct text *t, const struct finding *f, const char *at)
{
	unsigned long id;
	int length = 0;

	if (sscanf(at, "{lock:%lu}%n", &id, &length) == 1 && length) {
		append_lock(t, f, id);
		return (size_t)length;
	}
	if (sscanf(at, "{thread:%lu}%n", &id, &length) == 1 && length) {
		append_thread(t, f, id);
		return (size_t)length;
	}
	if ((sscanf(at, "{from:%lu}%n", &id, &length) == 1 && length) ||
	    (sscanf(at, "{to:%lu}%n", &id, &length) == 1 && length)) {
		append_place(t, f, id, at[1] == 't');
		return (size_t)length;
	}
	if (sscanf(at, "{task:%lu}%n", &id, &length) == 1 && length) {
		append_task(t, f, id);
		return (size_t)length;
	}
	return 0;
}

static const char *expand(struct finding_list *list, const struct finding *f, const char *source,
			  uint64_t *told)
{
	struct text t = { .told = told };
	const char *result = source;

	if (!source || !strchr(source, '{'))
		return source;
	append(&t, "", 0);
	for (const char *at = source; *at;) {
		size_t plain = strcspn(at, "{"), used = 0;

		append(&t, at, plain);
		at += plain;
		if (*at == '{' && !(used = expand_one(&t, f, at)))
			append(&t, at, used = 1);
		at += used;
	}
	result = finding_list_printf(list, "%s", t.bytes);
	free(t.bytes);
	return result;
}

void finding_expand_names(struct finding_list *list)
{
	for (size_t i = 0; i < finding_list_count(list); i++) {
		struct finding *f = finding_list_get(list, i);
		uint64_t told = 0;

		f->title = expand(list, f, f->title, NULL);
		f->message = expand(list, f, f->message, &told);
		for (size_t k = 0; k < f->stack_count; k++)
			f->stacks[k].note = expand(list, f, f->stacks[k].note, &told);
	}
}
