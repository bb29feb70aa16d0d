/* SPDX-License-Identifier: MIT */
/*
 * memory_meeting.c - accesses, location and locks in words.
 */
#include "memory_meeting.h"

enum { FRAMES = 64 };

/* The shadow stack ends with what called the first watched function. */
uint32_t memory_stack_of(const struct analysis *a, const struct trace_memory *memory, uint32_t node,
			 uint64_t pc)
{
	uint64_t ip[FRAMES];

	ip[0] = pc;
	return trace_process_add_stack(a->process, ip,
				       1 + trace_memory_stack(memory, node, ip + 1, FRAMES - 1));
}

static const char *access_words(struct analysis *a, const struct memory_side *x)
{
	unsigned flags = x->flags, bytes = x->bytes;

	return analysis_printf(a, "%s%s%u byte%s%s",
			       flags & TM_FREE	   ? "frees memory: "
			       : flags & TM_ATOMIC ? "atomically "
						   : "",
			       flags & TM_FREE				    ? ""
			       : (flags & (TM_READ | TM_WRITE)) == TM_READ  ? "reads "
			       : (flags & (TM_READ | TM_WRITE)) == TM_WRITE ? "writes "
									    : "reads and writes ",
			       bytes, bytes == 1 ? "" : "s",
			       flags & TM_VPTR	    ? " (pointer to virtual functions)"
			       : flags & TM_LIBRARY ? " by a function of libc"
						    : "");
}

static void add_access(struct analysis *a, struct trace_memory *memory, struct finding *f,
		       uint32_t object, uint64_t address, const struct memory_side *x)
{
	struct finding_stack *fs = analysis_add_stack(a, f, ROLE_ACCESSES, x->thread, 0,
						      memory_stack_of(a, memory, x->node, x->pc),
						      x->time_ns, x->held, x->held_count);

	fs->lock = object;
	fs->access = (struct finding_access){ .address = address,
					      .bytes = x->bytes,
					      .reads = x->flags & TM_READ,
					      .writes = x->flags & (TM_WRITE | TM_FREE),
					      .is_atomic = x->flags & TM_ATOMIC };
	fs->note = access_words(a, x);
}

/* What the location is, as a part of the finding; its name, of a global, comes with the symbols. */
static uint32_t add_location(struct analysis *a, struct trace_memory *memory, struct finding *f,
			     const struct memory_meeting *m)
{
	uint32_t id = (uint32_t)a->process->object_count + m->index;
	struct finding_lock *l = finding_add_lock(a->findings, f, id);

	l->kind = TRACE_OBJECT_VARIABLE;
	l->address = m->address;
	if (m->block.bytes) {
		l->word = "heap block";
		l->name = analysis_printf(a, "of %llu bytes, at +%llu",
					  (unsigned long long)m->block.bytes,
					  (unsigned long long)(l->address - m->block.address));
		l->first_seen_stack = memory_stack_of(a, memory, m->block.stack, m->block.pc);
	} else if (m->stack_owner) {
		l->word = "variable";
		l->name = analysis_printf(a, "on the stack of %s",
					  analysis_thread_label(a, m->stack_owner));
	}
	return id;
}

static const char *locks_hint(const struct memory_side *x, const struct memory_side *y)
{
	if (!x->held_count && !y->held_count)
		return "Neither held a lock.";
	if (!x->held_count || !y->held_count)
		return "One of them held a lock, the other none.";
	return "They held different locks, or shared one.";
}

struct finding *memory_meeting_tell(struct analysis *a, struct trace_memory *memory,
				    const struct memory_meeting *m, enum confidence confidence)
{
	struct finding *f = analysis_begin(a, RULE_DATA_RACE, confidence);
	const struct memory_side *x = &m->side[0], *y = &m->side[1];
	bool reads = !x->writes || !y->writes;
	uint32_t id;

	f->count = m->count;
	f->is_compiled_in = true;
	analysis_add_thread(a, f, x->thread);
	analysis_add_thread(a, f, y->thread);
	id = add_location(a, memory, f, m);
	add_access(a, memory, f, id, m->address, x);
	add_access(a, memory, f, id, m->address, y);
	f->title = analysis_printf(a, "{thread:%u} and {thread:%u} %s {lock:%u} unordered",
				   x->thread, y->thread, reads ? "read and write" : "both write",
				   id);
	f->message = analysis_printf(
		a,
		"{thread:%u} and {thread:%u} access {lock:%u}, %s, and nothing orders the two: no lock, join, "
		"atomic operation or other hand-over lies between them. %s",
		x->thread, y->thread, id, reads ? "one of them to write" : "both to write",
		locks_hint(x, y));
	return f;
}
