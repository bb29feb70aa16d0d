/* SPDX-License-Identifier: MIT */
/*
 * memory_race_proofs.c - puts what predict/ proves into findings: one for each pair of instructions.
 */
#include "memory_race_proofs.h"

#include "../predict/held.h"
#include "../predict/race_proofs.h"
#include "memory_meeting.h"
#include "memory_proofs.h"

#include <stdlib.h>

enum { MOST = 100 }; /* findings: more is not read by anyone */

struct told {
	uint64_t x, y;
	struct finding *finding;
};

struct teller {
	struct analysis *a;
	struct trace_memory *memory;
	const struct recorded *recorded;
	const struct predict_sequence *sequence;
	const struct memory_known *known;
	struct told told[MOST];
	uint32_t count;
};

/* What the thread of the event has locked then. */
static void add_held(const struct teller *t, uint32_t event, struct memory_side *side)
{
	uint32_t thread = t->sequence->event[event].thread;
	struct held held = { 0 };

	for (uint32_t i = 0; i < event; i++) {
		const struct predict_event *e = &t->sequence->event[i];

		if (e->thread != thread)
			continue;
		if (e->op == PREDICT_ACQUIRE || e->op == PREDICT_TRY)
			held_add(&held, e->object, 0);
		else if (e->op == PREDICT_RELEASE)
			held_drop(&held, held_find(&held, e->object));
	}
	for (size_t i = 0; i < held.count && side->held_count < MEMORY_HELD; i++) {
		uint32_t id = (uint32_t)recorded_lock(t->recorded, held.lock[i].lock).id;

		if (!side->held_count || side->held[side->held_count - 1] != id)
			side->held[side->held_count++] = id;
	}
	free(held.lock);
}

static struct memory_side side_of(const struct teller *t, uint32_t event)
{
	const struct predict_event *e = &t->sequence->event[event];
	struct recorded_place place = recorded_place(t->recorded, e->place);
	bool writes = e->op == PREDICT_WRITE;
	struct memory_side side = {
		.thread = recorded_thread(t->recorded, e->thread),
		.node = place.node,
		.pc = place.pc,
		.flags = (writes ? TM_WRITE : TM_READ) | (place.is_atomic ? TM_ATOMIC : 0),
		.bytes = recorded_variable(t->recorded, e->object).bytes,
		.writes = writes,
		.time_ns = place.time_ns,
	};

	add_held(t, event, &side);
	return side;
}

static const char *message_of(const struct teller *t, const struct finding *f,
			      const struct memory_meeting *m)
{
	uint32_t location = (uint32_t)t->a->process->object_count + m->index;

	return analysis_printf(
		t->a,
		"{thread:%u} and {thread:%u} access {lock:%u}, %s. In this run locks that were taken for something else "
		"came in between and put one first; another order of the run's own events, all critical sections in it in the "
		"recorded order, all reads as recorded, has them side by side: %sthen {thread:%u} and {thread:%u} are both "
		"about to access {lock:%u}. No lock is held by both.",
		m->side[0].thread, m->side[1].thread, location,
		m->side[0].writes && m->side[1].writes ? "both to write" : "one of them to write",
		memory_proofs_step_words(t->a, f), m->side[0].thread, m->side[1].thread, location);
}

static struct told *find(struct teller *t, uint64_t x, uint64_t y)
{
	for (uint32_t i = 0; i < t->count; i++)
		if ((t->told[i].x == x && t->told[i].y == y) ||
		    (t->told[i].x == y && t->told[i].y == x))
			return &t->told[i];
	return NULL;
}

static void tell(struct teller *t, const struct race_proof *proof, struct memory_meeting *m)
{
	struct recorded_variable v =
		recorded_variable(t->recorded, t->sequence->event[proof->event[0]].object);
	struct finding *f;

	m->address = v.address;
	m->block = memory_blocks_find(t->known->blocks, v.address, v.generation);
	if (!m->block.bytes)
		m->stack_owner = memory_blocks_stack_owner(t->known->blocks, v.address);
	m->index = t->known->meetings + t->count;
	m->count = proof->count;
	f = memory_meeting_tell(t->a, t->memory, m, CONFIDENCE_PROVEN);
	memory_proofs_add_steps(t->a, t->memory, t->recorded, f, proof->step, proof->steps,
				proof->events_before);
	f->message = message_of(t, f, m);
	t->told[t->count++] = (struct told){ m->side[0].pc, m->side[1].pc, f };
}

static void on_proof(void *cookie, const struct race_proof *proof)
{
	struct teller *t = cookie;
	struct memory_meeting m = { .side = { side_of(t, proof->event[0]),
					      side_of(t, proof->event[1]) } };
	const struct recorded_variable v =
		recorded_variable(t->recorded, t->sequence->event[proof->event[0]].object);
	struct told *told = find(t, m.side[0].pc, m.side[1].pc);

	if (told)
		told->finding->count += proof->count;
	else if (t->count < MOST && m.side[0].pc && m.side[1].pc &&
		 !t->known->has(t->known->cookie, m.side[0].pc, m.side[1].pc) &&
		 !memory_blocks_is_benign(t->known->blocks, v.address, v.generation))
		tell(t, proof, &m);
}

void memory_race_proofs_tell(struct analysis *a, struct trace_memory *memory,
			     struct recorded *recorded, const struct memory_known *known)
{
	struct teller *t = room_new(1, sizeof(*t));
	struct diag diag;
	bool *is_atomic;

	*t = (struct teller){ .a = a, .memory = memory, .recorded = recorded, .known = known };
	t->sequence = recorded_finish(recorded);
	if (!recorded_flaw(recorded)) {
		is_atomic = room_new(t->sequence->places.count, sizeof(*is_atomic));
		for (uint32_t i = 0; i < t->sequence->places.count; i++)
			is_atomic[i] = recorded_place(recorded, i).is_atomic;
		race_proofs_find(t->sequence, is_atomic, on_proof, t, &diag);
		free(is_atomic);
	}
	for (uint32_t i = 0; i < t->count; i++)
		analysis_commit(a, t->told[i].finding);
	free(t);
}
