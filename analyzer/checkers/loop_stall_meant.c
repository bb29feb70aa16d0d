/* SPDX-License-Identifier: MIT */
/*
 * loop_stall_meant.c - what takes long because it has to, and is no fault of a callback: initialisers, starts of threads and processes, loops
 * that wait for a child, the end of the process; and what another rule has told.
 */
#include "loop_stretch.h"

#include <string.h>

/* Done once in the life of the process: threads are started, and waited for, behind such a function. */
bool stall_is_initialising(const struct analysis *a, uint32_t thread)
{
	const struct model_thread *t = model_get_thread(a->model, thread);
	const struct model_object *o;

	for (uint32_t i = 0; t && i < t->held_count; i++) {
		o = model_get_object(a->model, t->held[i].object);
		if (o && o->kind == TRACE_OBJECT_ONCE)
			return true;
	}
	return false;
}

/* Python's Thread.start waits until the new thread runs: as long as the system takes to let it. */
bool stall_starts_a_thread(const struct analysis *a, const struct cause *c)
{
	const struct trace_process *p = a->process;
	const char *word = !c->call && c->object < p->object_count && p->objects
				   ? p->objects[c->object].word
				   : NULL;

	return word && !strcmp(word, "threading.Thread");
}

/* The innermost line of the program that an interpreter runs; NULL = none. */
static const struct trace_code_place *innermost_place(const struct trace_process *p, uint32_t stack)
{
	for (uint32_t i = 0; stack < p->stack_count && i < p->stacks[stack].frames; i++)
		if (p->stacks[stack].ip[i] - TF_PLACE < p->place_count)
			return &p->places[p->stacks[stack].ip[i] - TF_PLACE];
	return NULL;
}

/*
 * Whoever makes a child reads from a pipe until the child's exec closes it, or says why there is none: as long as the system takes. That is
 * how Python's subprocess and libuv do it: the read comes next, in the function that forked.
 */
bool stall_starts_a_process(const struct analysis *a, const struct stretch *x,
			    const struct cause *c)
{
	enum { SAME_FUNCTION = 4096, AT_MOST_NS = 1000000000 };
	const struct trace_process *p = a->process;
	const struct trace_code_place *forked = innermost_place(p, x->fork_stack),
				      *reads = innermost_place(p, c->stack);
	uint64_t from, to;

	if (c->call != TRACE_CALL_READ || !x->fork_stack || x->fork_stack >= p->stack_count ||
	    c->stack >= p->stack_count || c->total_ns >= AT_MOST_NS)
		return false;
	if (reads)
		return forked && reads->kind == TF_PLACE_LIBRARY && forked->function &&
		       reads->function && !strcmp(forked->function, reads->function);
	if (!p->stacks[x->fork_stack].frames || !p->stacks[c->stack].frames)
		return false;
	from = p->stacks[x->fork_stack].ip[0];
	to = p->stacks[c->stack].ip[0];
	return !forked && to > from && to - from < SAME_FUNCTION;
}

/* A loop of its own that a callback runs until a child process is over: spawnSync of node, g_spawn_sync. */
bool stall_waits_for_child(struct analysis *a, uint32_t thread)
{
	const struct model_driver *d = model_get_driver(a->model, thread);
	const struct model_job *j;

	if (!d || !d->count || !d->loop || d->loop == d->callback[0].loop ||
	    !model_loop_job_count(a->model, d->loop))
		return false;
	for (size_t i = 0; (j = model_next_job(a->model, &i));)
		if (j->loop == d->loop && j->kind == TRACE_TASK_UV_PROCESS)
			return true;
	return false;
}

/* A frame of an interpreted language is among them. */
static bool runs_a_program(const struct trace_process *p, uint32_t stack)
{
	for (uint32_t i = 0; i < p->stacks[stack].frames; i++)
		if (p->stacks[stack].ip[i] - TF_PLACE < p->place_count)
			return true;
	return false;
}

/*
 * The thread ended the process outside of its loop, which it had left for another stack (gevent: the interpreter ends beside the hub) or by
 * the end of the program, and nobody knows when: it had fewer calls on its stack than it waits with in its loop, with two frames of slack for
 * what the loop calls to wait; or the loop is one of an interpreter's program, and only the interpreter is left.
 */
bool stall_left_before_exit(const struct model *m, const struct model_driver *d, uint32_t id)
{
	const struct trace_process *p = m->process;

	if (!m->exit_kind || m->exit_thread != id || !d->turn_stack || !m->exit_stack ||
	    d->turn_stack >= p->stack_count || m->exit_stack >= p->stack_count)
		return false;
	return p->stacks[m->exit_stack].frames + 2 < p->stacks[d->turn_stack].frames ||
	       (runs_a_program(p, d->turn_stack) && !runs_a_program(p, m->exit_stack));
}

/* It waits for ever, and that is told. */
bool stall_is_told(const struct analysis *a, uint32_t thread)
{
	for (size_t i = 0; i < finding_list_count(a->findings); i++) {
		const struct finding *f = finding_list_get(a->findings, i);

		if (f->rule != RULE_DEADLOCK && f->rule != RULE_SELF_DEADLOCK &&
		    f->rule != RULE_STUCK_WAIT)
			continue;
		for (size_t k = 0; k < f->thread_count; k++)
			if (f->threads[k].id == thread && f->threads[k].process == a->process_index)
				return true;
	}
	return false;
}
