/* SPDX-License-Identifier: MIT */
/*
 * names.c - see names.h.
 */
#include "names.h"

#include "../analyzer/report/words.h"
#include "lock_labels.h"

#include <inttypes.h>

/* Who gave it a name goes before where it lies. */
static const char *name_of(const struct export_source *source, size_t process,
			   const struct trace_object *o)
{
	const char *name = o->given_name;

	if (!name && o->address && o->where != TF_WHERE_STACK && source->data)
		name = source->data(source->context, process, o->address, o->time_ns);
	return name ? name : o->name;
}

const char *names_object(const struct export_source *source, size_t process, uint32_t object,
			 char *buffer, size_t bytes)
{
	const struct trace_process *p = trace_reader_get_process(source->reader, process);
	const struct trace_object *o;
	const char *word, *name;

	if (!object || object >= p->object_count) {
		snprintf(buffer, bytes, "a lock");
		return buffer;
	}
	o = &p->objects[object];
	word = o->word ? o->word : o->kind ? trace_object_kind_name(o->kind) : "lock";
	name = name_of(source, process, o);
	if (name && *name)
		snprintf(buffer, bytes, "%s %s", word, name);
	else
		names_nameless(source->labels, process, o, object, word, buffer, bytes);
	return buffer;
}

void names_nameless(const struct lock_labels *labels, size_t process, const struct trace_object *o,
		    uint32_t object, const char *word, char *buffer, size_t bytes)
{
	const char *label = lock_labels_find(labels, process, object);

	if (label)
		snprintf(buffer, bytes, "%s", label);
	else if (o->address)
		snprintf(buffer, bytes, "%s 0x%" PRIx64, word, o->address);
	else
		snprintf(buffer, bytes, "%s #%" PRIu32, word, object);
}

const char *names_thread(const struct trace_process *process, uint32_t thread, char *buffer,
			 size_t bytes)
{
	const struct trace_thread *t = thread < process->thread_count ? &process->threads[thread]
								      : NULL;

	if (!thread)
		snprintf(buffer, bytes, "a thread");
	else if (thread == 1 || (t && (t->flags & TF_THREAD_MAIN)))
		snprintf(buffer, bytes, "main thread");
	else if (t && t->name && *t->name)
		snprintf(buffer, bytes, "thread %" PRIu32 " \"%s\"", thread, t->name);
	else
		snprintf(buffer, bytes, "thread %" PRIu32, thread);
	return buffer;
}

const char *names_task(const struct trace_process *process, uint32_t task, char *buffer,
		       size_t bytes)
{
	const struct trace_task *t = task < process->task_count ? &process->tasks[task] : NULL;

	if (t && t->name && *t->name)
		snprintf(buffer, bytes, "task %s", t->name);
	else
		snprintf(buffer, bytes, "task %" PRIu32, task);
	return buffer;
}

const char *names_site(const struct export_source *source, size_t process, uint32_t stack,
		       uint64_t time_ns, char *buffer, size_t bytes)
{
	struct frames frames = { 0 };

	*buffer = '\0';
	if (stack && source->frames(source->context, process, stack, time_ns, &frames))
		words_site(&frames, buffer, bytes);
	return buffer;
}
