/* SPDX-License-Identifier: MIT */
/*
 * memory_proofs.c - looks up each proven ring of predict/ among the findings, and puts it into their words.
 */
#include "memory_proofs.h"

#include "memory_meeting.h"

#include <stdlib.h>

struct proofs {
	struct analysis *a;
	struct trace_memory *memory;
	const struct recorded *recorded;
	const struct predict_result *result;
};

/* One of the ring: what it holds that the one before wants, and what it wants. In numbers of the trace. */
struct member {
	uint32_t thread, held, wanted;
	uint32_t hold_stack, want_stack;
	uint64_t hold_ns, want_ns;
	bool held_shared, wanted_shared;
	const struct acquire *acquire;
};

/* ---- what the sequence says, as the trace does ---- */

static uint32_t stack_at(const struct proofs *p, uint32_t number, uint64_t *ret_ns)
{
	struct recorded_place place = recorded_place(p->recorded, number);

	*ret_ns = place.time_ns;
	return place.pc ? memory_stack_of(p->a, p->memory, place.node, place.pc) : place.stack;
}

static const struct acquire *acquire_of(const struct proofs *p, const struct predict_deadlock *d,
					uint32_t index)
{
	return &p->result->acquires.acquire[d->acquire[index % d->length]];
}

static struct member member_of(const struct proofs *p, const struct predict_deadlock *d,
			       uint32_t index)
{
	const struct acquire *a = acquire_of(p, d, index);
	const struct acquire *before = acquire_of(p, d, index + d->length - 1);
	const struct acquire *outer = &p->result->acquires.acquire[a->outer];
	struct recorded_lock held, wanted = recorded_lock(p->recorded, a->lock);
	struct member m = { .acquire = a };

	while (outer->lock != before->lock && outer->outer != ACQUIRES_NONE)
		outer = &p->result->acquires.acquire[outer->outer];
	held = recorded_lock(p->recorded, outer->lock);
	m.thread = recorded_thread(p->recorded, a->thread);
	m.held = (uint32_t)held.id;
	m.wanted = (uint32_t)wanted.id;
	m.held_shared = held.kind == RECORDED_READER && held.thread == m.thread;
	m.wanted_shared = wanted.kind == RECORDED_READER && wanted.thread == m.thread;
	m.hold_stack = stack_at(p, outer->place, &m.hold_ns);
	m.want_stack = stack_at(p, a->place, &m.want_ns);
	return m;
}

/* ---- the finding it is ---- */

static bool is_pair(const struct finding *f, size_t i)
{
	return f->stacks[i].role == ROLE_HOLDS && f->stacks[i + 1].role == ROLE_ACQUIRES;
}

/* Same code, or same locks: pairs of stacks that say where one was held and the other wanted. */
static bool has_member(const struct finding *f, const struct member *m, bool by_code)
{
	for (size_t i = 0; i + 1 < f->stack_count; i += 2) {
		const struct finding_stack *hold = &f->stacks[i], *want = &f->stacks[i + 1];

		if (is_pair(f, i) &&
		    (by_code ? hold->stack == m->hold_stack && want->stack == m->want_stack
			     : hold->lock == m->held && want->lock == m->wanted))
			return true;
	}
	return false;
}

static bool is_open(const struct proofs *p, const struct finding *f, enum confidence confidence)
{
	return f->rule == RULE_LOCK_ORDER_INVERSION && f->confidence == confidence &&
	       f->process == p->a->process_index && f->stack_count && is_pair(f, 0);
}

static struct finding *find(const struct proofs *p, const struct member *member, uint32_t count,
			    enum confidence confidence, bool by_code)
{
	for (size_t i = 0; i < finding_list_count(p->a->findings); i++) {
		struct finding *f = finding_list_get(p->a->findings, i);
		bool fits = is_open(p, f, confidence) && f->stack_count == 2 * (size_t)count;

		for (uint32_t k = 0; fits && k < count; k++)
			fits = has_member(f, &member[k], by_code);
		if (fits)
			return f;
	}
	return NULL;
}

/* ---- words ---- */

static const char *member_words(const struct proofs *p, const struct member *m)
{
	return analysis_printf(p->a, "{thread:%u} takes {lock:%u}%s, then {lock:%u}%s", m->thread,
			       m->held, m->held_shared ? " for reading" : "", m->wanted,
			       m->wanted_shared ? " (for reading)" : "");
}

static const char *step_words(struct analysis *a, const struct finding *f, size_t index)
{
	const struct finding_step *s = &f->steps[index];

	if (s->events == 1)
		return analysis_printf(a, "(%zu) %s does one event, at {to:%zu}; ", index + 1,
				       s->label, index);
	return analysis_printf(a, "(%zu) %s does %llu events, from {from:%zu} to {to:%zu}; ",
			       index + 1, s->label, (unsigned long long)s->events, index, index);
}

const char *memory_proofs_step_words(struct analysis *a, const struct finding *f)
{
	const char *text = f->events_before ? analysis_printf(a, "… after %llu events ",
							      (unsigned long long)f->events_before)
					    : "";

	for (size_t i = 0; i < f->step_count; i++)
		text = analysis_printf(a, "%s%s", text, step_words(a, f, i));
	return text;
}

static const char *witness_words(const struct proofs *p, const struct finding *f,
				 const struct member *member, uint32_t count)
{
	const char *text = memory_proofs_step_words(p->a, f);

	for (uint32_t i = 0; i < count; i++)
		text = analysis_printf(p->a, "%s%s{thread:%u} waits for {lock:%u}", text,
				       i ? ", " : "then ", member[i].thread, member[i].wanted);
	return text;
}

static const char *message_of(const struct proofs *p, const struct finding *f,
			      const struct member *member, uint32_t count)
{
	const char *text = "";

	for (uint32_t i = 0; i < count; i++)
		text = analysis_printf(p->a, "%s%s. ", text, member_words(p, &member[i]));
	return analysis_printf(
		p->a,
		"%sThis order of the run's own events ends in it, all critical sections in it in the recorded order, all "
		"reads as recorded: %s. Take the locks in one order everywhere.",
		text, witness_words(p, f, member, count));
}

static const char *title_of(const struct proofs *p, const struct member *member, uint32_t count)
{
	const char *text = member_words(p, &member[0]);

	if (count == 2)
		return analysis_printf(p->a, "%s; {thread:%u} takes them the other way round", text,
				       member[1].thread);
	if (count > 4)
		return analysis_printf(p->a, "%u locks are taken in a circle by %u threads", count,
				       count);
	for (uint32_t i = 1; i < count; i++)
		text = analysis_printf(p->a, "%s; %s", text, member_words(p, &member[i]));
	return text;
}

/* ---- the proof ---- */

void memory_proofs_add_steps(struct analysis *a, struct trace_memory *memory,
			     const struct recorded *recorded, struct finding *f,
			     const struct witness_step *step, uint32_t steps,
			     uint64_t events_before)
{
	struct proofs p = { .a = a, .memory = memory, .recorded = recorded };

	f->events_before = events_before;
	for (uint32_t i = 0; i < steps; i++) {
		struct finding_step *s = finding_add_step(a->findings, f);

		s->thread = recorded_thread(recorded, step[i].thread);
		s->label = analysis_thread_label(a, s->thread);
		s->events = step[i].count;
		s->from_stack = stack_at(&p, step[i].first, &s->from_ns);
		s->to_stack = stack_at(&p, step[i].last, &s->to_ns);
	}
}

static uint64_t count_before(const struct witness *w)
{
	uint64_t events = w->events;

	for (uint32_t i = 0; i < w->steps; i++)
		events -= w->step[i].count;
	return events;
}

static void add_held(const struct proofs *p, const struct acquire *a, uint32_t *held, size_t *count)
{
	for (uint32_t i = a->outer; i != ACQUIRES_NONE && *count < 16;
	     i = p->result->acquires.acquire[i].outer) {
		struct recorded_lock lock =
			recorded_lock(p->recorded, p->result->acquires.acquire[i].lock);
		size_t k = 0;

		while (k < *count && held[k] != lock.id)
			k++;
		if (k == *count)
			held[(*count)++] = (uint32_t)lock.id;
	}
}

/* The finding is told anew, by the threads that meet in the proof: the places are those it had, or others of the same locks. */
static void prove(const struct proofs *p, struct finding *f, const struct predict_deadlock *d,
		  const struct member *member)
{
	finding_set_confidence(f, CONFIDENCE_PROVEN);
	f->thread_count = f->lock_count = f->stack_count = 0;
	f->threads = NULL;
	f->locks = NULL;
	f->stacks = NULL;
	for (uint32_t i = 0; i < d->length; i++) {
		analysis_add_thread(p->a, f, member[i].thread);
		analysis_add_lock(p->a, f, member[i].held);
	}
	for (uint32_t i = 0; i < d->length; i++) {
		const struct member *m = &member[i];
		uint32_t held[16];
		size_t count = 0;
		struct finding_stack *s;

		add_held(p, m->acquire, held, &count);
		s = analysis_add_stack(p->a, f, ROLE_HOLDS, m->thread, m->held, m->hold_stack,
				       m->hold_ns, NULL, 0);
		s->note = m->held_shared ? "acquired for reading" : NULL;
		s = analysis_add_stack(p->a, f, ROLE_ACQUIRES, m->thread, m->wanted, m->want_stack,
				       m->want_ns, held, count);
		s->note = m->wanted_shared ? "for reading" : NULL;
	}
	memory_proofs_add_steps(p->a, p->memory, p->recorded, f, d->witness.step, d->witness.steps,
				count_before(&d->witness));
	f->title = title_of(p, member, d->length);
	f->message = message_of(p, f, member, d->length);
}

/* A hint that names these very locks doubted what now is sure; one of the same code alone is about a class of locks. */
static void prove_if_found(const struct proofs *p, const struct predict_deadlock *d)
{
	struct member member[PATTERN_MOST];
	struct finding *f;

	for (uint32_t i = 0; i < d->length; i++)
		member[i] = member_of(p, d, i);
	f = find(p, member, d->length, CONFIDENCE_POTENTIAL, true);
	if (!f)
		f = find(p, member, d->length, CONFIDENCE_POTENTIAL, false);
	if (!f)
		f = find(p, member, d->length, CONFIDENCE_HINT, false);
	if (f)
		prove(p, f, d, member);
}

/* Why those that stay potential do. */
static void explain_others(const struct proofs *p, const char *why)
{
	for (size_t i = 0; i < finding_list_count(p->a->findings); i++) {
		struct finding *f = finding_list_get(p->a->findings, i);

		if (is_open(p, f, CONFIDENCE_POTENTIAL))
			f->message = analysis_printf(p->a, "%s Not proven: %s.", f->message, why);
	}
}

static bool has_open(const struct proofs *p)
{
	for (size_t i = 0; i < finding_list_count(p->a->findings); i++) {
		const struct finding *f = finding_list_get(p->a->findings, i);

		if (is_open(p, f, CONFIDENCE_POTENTIAL) || is_open(p, f, CONFIDENCE_HINT))
			return true;
	}
	return false;
}

void memory_proofs_tell(struct analysis *a, struct trace_memory *memory, struct recorded *recorded)
{
	struct proofs p = { .a = a, .memory = memory, .recorded = recorded };
	const struct predict_sequence *sequence;
	struct predict_result result;
	const char *why =
		"no order of the run's own events was found that ends in it with all reads as recorded";
	struct diag diag;

	if (!has_open(&p))
		return;
	sequence = recorded_finish(recorded);
	p.result = &result;
	if (recorded_flaw(recorded)) {
		explain_others(&p, recorded_flaw(recorded));
		return;
	}
	if (predict_deadlocks(sequence, NULL, &result, &diag))
		why = diag.message;
	for (size_t i = 0; i < result.count; i++)
		if (result.deadlock[i].proven)
			prove_if_found(&p, &result.deadlock[i]);
	explain_others(&p, why);
	predict_result_release(&result);
}
