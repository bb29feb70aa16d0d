/* SPDX-License-Identifier: MIT */
/*
 * run_processes.c - looks up images by united ids and pids. Decides nothing about waits.
 */
#include "run_processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum base { BASE_THREAD, BASE_OBJECT, BASE_STACK };

static uint32_t base_of(const struct run_process *p, enum base base)
{
	switch (base) {
	case BASE_THREAD:
		return p->first_thread;
	case BASE_OBJECT:
		return p->first_object;
	case BASE_STACK:
		return p->first_stack;
	}
	return 0;
}

/* The last image whose base lies below `id`: bases ascend, and base + 1 is the first id. */
static uint32_t find(const struct run_processes *run, uint32_t id, enum base base)
{
	uint32_t low = 0, high = run->count;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (base_of(&run->process[middle], base) < id)
			low = middle;
		else
			high = middle;
	}
	return low;
}

uint32_t run_process_of_thread(const struct run_processes *run, uint32_t thread)
{
	return find(run, thread, BASE_THREAD);
}

uint32_t run_process_of_object(const struct run_processes *run, uint32_t object)
{
	return find(run, object, BASE_OBJECT);
}

uint32_t run_process_of_stack(const struct run_processes *run, uint32_t stack)
{
	return find(run, stack, BASE_STACK);
}

uint32_t run_find_pid(const struct run_processes *run, uint32_t pid)
{
	for (uint32_t i = run->count; i-- > 0;)
		if (run->process[i].process->pid == pid)
			return i;
	return RUN_NO_PROCESS;
}

uint32_t run_main_thread(const struct run_processes *run, uint32_t process)
{
	return run->process[process].first_thread + 1;
}

const char *run_process_words(const struct trace_process *process, char *buffer, size_t bytes)
{
	const char *command = process->command ? process->command : "";
	size_t length = strcspn(command, " ");
	const char *name = command;

	for (size_t i = 0; i < length; i++)
		if (command[i] == '/')
			name = command + i + 1;
	length -= (size_t)(name - command);
	if (length > 32)
		length = 32;
	if (length)
		snprintf(buffer, bytes, "process %u (%.*s)", process->pid, (int)length, name);
	else
		snprintf(buffer, bytes, "process %u", process->pid);
	return buffer;
}

static uint64_t range_end(const struct tf_def_identity *i)
{
	return i->length == 0 || i->offset > UINT64_MAX - i->length ? UINT64_MAX
								    : i->offset + i->length;
}

bool run_ranges_meet(const struct trace_object *a, const struct trace_object *b)
{
	const struct tf_def_identity *x = a->identity, *y = b->identity;
	bool alike;

	if (!x || !y || a->kind != TRACE_OBJECT_FILE_LOCK || b->kind != TRACE_OBJECT_FILE_LOCK)
		return false;
	/* POSIX and open-file-description locks are of one kind for the kernel; flock is apart. */
	alike = (x->space == TF_IDENTITY_FLOCK) == (y->space == TF_IDENTITY_FLOCK);
	return alike && x->dev == y->dev && x->ino == y->ino && x->offset < range_end(y) &&
	       y->offset < range_end(x);
}

static const struct run_end *find_end(const struct run_processes *run, uint32_t object)
{
	for (uint32_t i = 0; i < run->end_count; i++)
		if (run->end[i].object == object)
			return &run->end[i];
	return NULL;
}

/* The socket at the other side; false = not known, or not from a pair that was made in the run. */
static bool find_peer(const struct run_processes *run, uint32_t object, uint64_t *ret_inode)
{
	bool made_here = false, known = false;

	for (uint32_t i = 0; i < run->end_count; i++) {
		if (run->end[i].object != object)
			continue;
		made_here |= run->end[i].made_here;
		if (run->end[i].identity->length) {
			*ret_inode = run->end[i].identity->length;
			known = true;
		}
	}
	return made_here && known;
}

bool run_visit_partners(const struct run_processes *run, uint32_t object, bool for_data,
			void (*visit)(void *cookie, uint32_t process), void *cookie)
{
	const struct run_end *own = find_end(run, object);
	bool is_pipe = own && own->identity->space == TF_IDENTITY_PIPE, made_here = false;
	uint64_t wanted = is_pipe ? (for_data ? RUN_END_WRITE : RUN_END_READ) : RUN_END_READ;
	uint64_t inode = own ? own->identity->ino : 0;

	if (!own || run->open || (!is_pipe && !find_peer(run, object, &inode)))
		return false;
	for (uint32_t i = 0; is_pipe && i < run->end_count; i++)
		made_here |= run->end[i].object == object && run->end[i].made_here;
	if (is_pipe && !made_here)
		return false;
	for (uint32_t i = 0; i < run->end_count; i++) {
		const struct tf_def_identity *x = run->end[i].identity;

		if (x->space == own->identity->space && x->ino == inode &&
		    x->dev == own->identity->dev && (x->offset & wanted) &&
		    !run->process[run->end[i].process].ended)
			visit(cookie, run->end[i].process);
	}
	return true;
}

void run_processes_release(struct run_processes *run)
{
	free(run->end);
	for (uint32_t i = 0; i < run->count; i++)
		free(run->process[i].object_of);
	free(run->process);
	memset(run, 0, sizeof(*run));
}
