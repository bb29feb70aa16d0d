/* SPDX-License-Identifier: MIT */
/*
 * run_tables.c - the tables of the united process: threads, objects, stacks and wait slots of all
 * its images behind each other, one object for what is the same thing.
 */
#include "run_union.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* ---- one object for one thing ---- */

struct thing {
	const struct trace_object *object;
	uint64_t seen_ns; /* in run time */
	uint32_t image, local;
};

static int compare_u64(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

static int compare_identities(const struct thing *x, const struct thing *y)
{
	const struct tf_def_identity *i = x->object->identity, *k = y->object->identity;
	int order = compare_u64(i->ino, k->ino);

	order = order ? order : compare_u64(i->dev, k->dev);
	order = order ? order : compare_u64(i->space, k->space);
	order = order ? order : compare_u64(x->object->kind, y->object->kind);
	/* Of a pipe or socket it says which ends the process has open. */
	if (!order && i->space != TF_IDENTITY_PIPE && i->space != TF_IDENTITY_SOCKET)
		order = compare_u64(i->offset, k->offset);
	if (!order && x->object->kind == TRACE_OBJECT_FILE_LOCK)
		order = compare_u64(i->length, k->length);
	return order;
}

static int compare_things(const void *a, const void *b)
{
	const struct thing *x = a, *y = b;
	int order = compare_identities(x, y);

	order = order ? order : compare_u64(x->image, y->image);
	return order ? order : compare_u64(x->local, y->local);
}

/* Counts of these kinds say in a bit whether others may take part. Here all of them are seen. */
static uint32_t private_attributes(const struct trace_object *o)
{
	if (o->identity->space == TF_IDENTITY_SYSV_SEM)
		return o->attributes & (0xffffu | TF_ATTRIBUTES_UNKNOWN);
	switch (o->kind) {
	case TRACE_OBJECT_SEM:
	case TRACE_OBJECT_BARRIER:
		return o->attributes & ~(uint32_t)TF_COUNT_SHARED;
	case TRACE_OBJECT_MUTEX:
	case TRACE_OBJECT_RWLOCK:
	case TRACE_OBJECT_COND:
		return o->attributes & ~(uint32_t)TF_PSHARED;
	default: /* a number from a file */
		return o->attributes;
	}
}

/*
 * SEM_UNDO: the end of a process gave its units back, which no record says. And in bounded mode each
 * process counted for itself. Then the value is not known.
 */
static bool was_undone(const struct run_union *u, const struct thing *thing)
{
	if (thing->object->live)
		return true;
	return thing->object->identity->space == TF_IDENTITY_SYSV_SEM &&
	       (thing->object->attributes & TF_SEM_UNDO) &&
	       u->run.process[thing->image].process->exit_kind;
}

/*
 * What is known of the thing comes from the image that saw it first: a semaphore's value was its
 * first one only there.
 */
static void unite(struct run_union *u, const struct thing *thing, size_t count)
{
	struct run_process *first = &u->run.process[thing[0].image];
	uint32_t id = first->first_object + thing[0].local;
	struct trace_object *o = &u->process.objects[id];
	const struct thing *earliest = &thing[0];
	bool undone = false;

	for (size_t i = 0; i < count; i++) {
		u->run.process[thing[i].image].object_of[thing[i].local] = id;
		if (thing[i].seen_ns < earliest->seen_ns &&
		    !(thing[i].object->attributes & TF_ATTRIBUTES_UNKNOWN))
			earliest = &thing[i];
		undone |= was_undone(u, &thing[i]);
		if (!o->name)
			o->name = thing[i].object->name;
		if (!o->given_name)
			o->given_name = thing[i].object->given_name;
		if (!o->word)
			o->word = thing[i].object->word;
	}
	o->live = NULL;
	o->attributes = private_attributes(earliest->object) |
			(undone ? (uint32_t)TF_ATTRIBUTES_UNKNOWN : 0);
}

static void unite_objects(struct run_union *u)
{
	struct thing *thing;
	size_t count = 0, n = 0;

	for (uint32_t i = 0; i < u->run.count; i++)
		for (size_t k = 1; k < u->run.process[i].process->object_count; k++)
			count += u->run.process[i].process->objects[k].identity != NULL;
	thing = allocate(count, sizeof(*thing));
	for (uint32_t i = 0; i < u->run.count; i++) {
		const struct trace_process *p = u->run.process[i].process;

		for (uint32_t k = 1; k < p->object_count; k++)
			if (p->objects[k].identity)
				thing[n++] = (struct thing){ &p->objects[k],
							     u->run.process[i].start_ns +
								     p->objects[k].time_ns,
							     i, k };
	}
	qsort(thing, n, sizeof(*thing), compare_things);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && !compare_identities(&thing[i], &thing[end]); end++)
			;
		unite(u, &thing[i], end - i);
	}
	free(thing);
}

/* ---- pipes and socket pairs ---- */

/*
 * The object that was made inside the run, not handed in from outside: some image saw the call that
 * made it.
 */
static bool was_made_here(const struct trace_object *o)
{
	return o->attributes & TF_CHANNEL_MADE_HERE;
}

static void list_ends(struct run_union *u)
{
	struct run_processes *run = &u->run;
	uint32_t capacity = 0;

	for (uint32_t i = 0; i < run->count; i++) {
		const struct run_process *p = &run->process[i];

		for (uint32_t k = 1; k < p->process->object_count; k++) {
			const struct trace_object *o = &p->process->objects[k];

			if (!o->identity || (o->identity->space != TF_IDENTITY_PIPE &&
					     o->identity->space != TF_IDENTITY_SOCKET))
				continue;
			if (run->end_count == capacity) {
				capacity = capacity ? 2 * capacity : 16;
				run->end = reallocarray(run->end, capacity, sizeof(*run->end));
				if (!run->end)
					abort();
			}
			run->end[run->end_count++] = (struct run_end){
				.object = p->object_of[k],
				.process = i,
				.identity = o->identity,
				.made_here = was_made_here(o),
			};
		}
	}
}

/* ---- tables ---- */

static void set_bases(struct run_union *u)
{
	uint32_t threads = 0, objects = 0, stacks = 0;

	for (uint32_t i = 0; i < u->run.count; i++) {
		struct run_process *p = &u->run.process[i];

		p->first_thread = threads;
		p->first_object = objects;
		p->first_stack = stacks;
		threads += (uint32_t)(p->process->thread_count ? p->process->thread_count - 1 : 0);
		objects += (uint32_t)(p->process->object_count ? p->process->object_count - 1 : 0);
		stacks += (uint32_t)(p->process->stack_count ? p->process->stack_count - 1 : 0);
		u->process.wait_count += p->process->wait_count;
		u->process.flags |= p->process->flags;
		u->process.lost_events += p->process->lost_events + p->process->lost_in_gaps;
		u->process.lost_chunks += p->process->lost_chunks;
		u->process.lost_defs += p->process->lost_defs;
		if (p->start_ns + p->process->end_ns > u->process.end_ns)
			u->process.end_ns = p->start_ns + p->process->end_ns;
	}
	u->process.thread_count = (size_t)threads + 1;
	u->process.object_count = (size_t)objects + 1;
	u->process.stack_count = (size_t)stacks + 1;
	u->process.threads = allocate(u->process.thread_count, sizeof(*u->process.threads));
	u->process.objects = allocate(u->process.object_count, sizeof(*u->process.objects));
	u->process.stacks = allocate(u->process.stack_count, sizeof(*u->process.stacks));
	u->process.waits = allocate(u->process.wait_count, sizeof(*u->process.waits));
}

static void copy_image(struct run_union *u, struct run_process *p)
{
	const struct trace_process *from = p->process;

	p->object_of = allocate(from->object_count, sizeof(*p->object_of));
	for (uint32_t i = 1; i < from->thread_count; i++) {
		struct trace_thread *t = &u->process.threads[p->first_thread + i];

		*t = from->threads[i];
		t->parent = t->parent ? p->first_thread + t->parent : 0;
		t->stack = t->stack ? p->first_stack + t->stack : 0;
	}
	for (uint32_t i = 1; i < from->object_count; i++) {
		struct trace_object *o = &u->process.objects[p->first_object + i];

		*o = from->objects[i];
		o->stack = o->stack ? p->first_stack + o->stack : 0;
		o->thread = o->thread ? p->first_thread + o->thread : 0;
		p->object_of[i] = p->first_object + i;
	}
	if (from->stack_count > 1)
		memcpy(&u->process.stacks[p->first_stack + 1], from->stacks + 1,
		       (from->stack_count - 1) * sizeof(*from->stacks));
}

/* `other` is a thread, an object, or a plain number. */
static uint32_t other_of(const struct run_process *p, const struct trace_wait *w)
{
	if (!w->other)
		return 0;
	if (w->kind == TRACE_WAIT_JOIN)
		return p->first_thread + w->other;
	if (w->kind == TRACE_WAIT_COND)
		return w->other < p->process->object_count ? p->object_of[w->other] : 0;
	return w->other;
}

static void copy_waits(struct run_union *u)
{
	size_t n = 0;

	for (uint32_t i = 0; i < u->run.count; i++) {
		const struct run_process *p = &u->run.process[i];

		for (size_t k = 0; k < p->process->wait_count; k++) {
			struct trace_wait_state *to = &u->process.waits[n];

			*to = p->process->waits[k];
			if (!to->thread)
				continue; /* an idle stream */
			n++;
			to->thread += p->first_thread;
			to->wait.thread = to->thread;
			to->wait.other = other_of(p, &to->wait);
			to->wait.object = to->wait.object < p->process->object_count
						  ? p->object_of[to->wait.object]
						  : 0;
			to->wait.stack = to->wait.stack ? p->first_stack + to->wait.stack : 0;
			to->since_ns += p->start_ns;
		}
	}
	u->process.wait_count = n;
}

void run_union_tables(struct run_union *u)
{
	memset(&u->process, 0, sizeof(u->process));
	u->process.name = "run";
	u->process.complete = true;
	set_bases(u);
	for (uint32_t i = 0; i < u->run.count; i++)
		copy_image(u, &u->run.process[i]);
	unite_objects(u);
	list_ends(u);
	copy_waits(u);
}

void run_union_release(struct run_union *u)
{
	free(u->process.threads);
	free(u->process.objects);
	free(u->process.stacks);
	free(u->process.waits);
	run_processes_release(&u->run);
}
