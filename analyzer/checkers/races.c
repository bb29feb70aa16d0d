/* SPDX-License-Identifier: MIT */
/*
 * races.c - two threads at one location, as the recorder's watchpoints met them (preload/races/).
 *
 * Where the first thread stood still in front of its access, no order was between the two. Where it ran on, the order of this run's
 * synchronisation (happens_before.h) and the locks held by both decide: what they explain is no race. What remains is judged by the
 * instructions: two plain changes lose one of them; a read or write that the processor makes in parts can be torn; plain moves of up to
 * eight bytes may be what a compiler makes of relaxed atomics, which no binary shows, and are never more than potential. An instruction that
 * ever met an atomic one at its location is taken for an atomic access itself.
 */
#include "../happens_before.h"
#include "sites.h"

#include <stdlib.h>
#include <string.h>

enum { WATCHES = 1024, MOMENTS = 6 };

struct moment {
	uint32_t thread, at, stack, set, touch;
	uint32_t call; /* enum trace_call: the kernel's touch in it; 0 = another's */
	uint64_t time_ns;
};

/* What the records say of one watch. */
struct watch {
	uint32_t number;
	uint32_t count;
	struct moment first[MOMENTS], other;
	bool met, told;
};

/* A conflict that nothing explains. */
struct race {
	const struct tf_def_conflict *conflict;
	struct moment side[2];
	uint32_t count;
};

struct races {
	struct happens_before *hb;
	struct watch watch[WATCHES];
	struct race *race; /* owned */
	size_t race_count, race_capacity;
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void *races_begin(struct analysis *a)
{
	struct races *s;

	if (a->run || !a->process->watches || !a->process->conflict_count)
		return NULL;
	s = checked(calloc(1, sizeof(*s)));
	s->hb = happens_before_new(a->process);
	return s;
}

static void races_release(void *state)
{
	struct races *s = state;

	if (!s)
		return;
	happens_before_free(s->hb);
	free(s->race);
	free(s);
}

/* ---- the records ---- */

static const struct tf_def_conflict *conflict_of(const struct trace_process *p, uint32_t number)
{
	for (size_t i = 0; i < p->conflict_count; i++)
		if (p->conflicts[i]->watch == number)
			return p->conflicts[i];
	return NULL;
}

static bool is_explained(struct races *s, struct analysis *a, const struct moment *x,
			 const struct moment *y)
{
	return happens_before_is(s->hb, x->thread, x->at, y->thread) ||
	       model_sets_exclude(a->model, x->set, y->set);
}

static void add_race(struct races *s, const struct tf_def_conflict *c, const struct moment *first,
		     const struct moment *other)
{
	if (s->race_count == s->race_capacity) {
		s->race_capacity = s->race_capacity ? s->race_capacity * 2 : 16;
		s->race = checked(realloc(s->race, s->race_capacity * sizeof(*s->race)));
	}
	s->race[s->race_count] = (struct race){ c, { *first, *other }, 1 };
	s->race[s->race_count++].side[1].call = c->side[1].call;
}

static bool is_paused(const struct tf_def_conflict *c)
{
	return c->flags & TF_CONFLICT_PAUSED;
}

/* What could not be told is a write where only writes were watched, as where a thread was about to read; else it may be a read. */
static bool writes(const struct tf_def_conflict *c, const struct moment *m)
{
	return m->touch & TRACE_TOUCH_WRITE ||
	       (m->touch & TRACE_TOUCH_UNKNOWN && !(c->side[0].touch & TRACE_TOUCH_WRITE));
}

/* `now` has just been made: only what came before it can explain the pair. */
static void pair(struct races *s, struct analysis *a, struct watch *w, const struct moment *first,
		 const struct moment *other, const struct moment *now)
{
	const struct tf_def_conflict *c = conflict_of(a->process, w->number);
	const struct moment *before = now == first ? other : first;

	/* A system call that gave nothing in the end leaves a record that is no part of the conflict. */
	if (c && !w->told && c->side[1].thread == other->thread &&
	    (writes(c, first) || writes(c, other)) && first->thread != other->thread &&
	    (is_paused(c) || !is_explained(s, a, before, now))) {
		add_race(s, c, first, other);
		w->told = true;
	}
}

static void on_touch(struct races *s, struct analysis *a, const struct trace_event *e,
		     const struct model_step *step)
{
	uint32_t number = (uint32_t)(e->arg >> TRACE_WATCH_SHIFT);
	struct watch *w = &s->watch[number % WATCHES];
	struct moment now = {
		.thread = e->thread,
		.at = happens_before_now(s->hb, e->thread),
		.stack = e->stack,
		.set = model_intern_set(a->model, step->thread, 0),
		.touch = (uint32_t)e->result,
		.time_ns = e->time_ns,
	};

	if (w->number != number)
		*w = (struct watch){ .number = number };
	if (e->arg & TRACE_WATCH_OTHER) {
		w->other = now;
		w->met = true;
		for (uint32_t i = 0; i < w->count; i++)
			pair(s, a, w, &w->first[i], &w->other, &w->other);
		return;
	}
	if (w->count < MOMENTS)
		w->first[w->count++] = now;
	if (w->met)
		pair(s, a, w, &now, &w->other, &now);
}

static void races_on_event(void *state, struct analysis *a, const struct trace_event *e,
			   const struct model_step *step)
{
	struct races *s = state;

	if (!s || !step->thread)
		return;
	happens_before_apply(s->hb, e);
	if (e->op == TRACE_ACCESS && e->arg & TRACE_ACCESS_WATCH)
		on_touch(s, a, e, step);
}

/* ---- the judgement ---- */

static uint64_t ip_of(const struct analysis *a, const struct moment *m)
{
	const struct trace_process *p = a->process;

	return m->stack < p->stack_count && p->stacks[m->stack].frames ? p->stacks[m->stack].ip[0]
								       : 0;
}

static bool changes(uint32_t touch)
{
	return (touch & TRACE_TOUCH_READ && touch & TRACE_TOUCH_WRITE) ||
	       touch & TRACE_TOUCH_CHANGES;
}

static bool is_atomic(uint32_t touch)
{
	return touch & TRACE_TOUCH_ATOMIC;
}

/* Did the code of `m`, or anybody at that location, meet an atomic access in any conflict? */
static bool is_used_atomically(const struct analysis *a, const struct race *race)
{
	const struct trace_process *p = a->process;

	for (size_t i = 0; i < p->conflict_count; i++) {
		const struct tf_def_conflict *c = p->conflicts[i];

		if (!is_atomic(c->side[0].touch) && !is_atomic(c->side[1].touch))
			continue;
		if (c->address == race->conflict->address)
			return true;
		for (int k = 0; k < 4; k++)
			if (!changes(race->side[k / 2].touch) && c->side[k % 2].ip &&
			    c->side[k % 2].ip == ip_of(a, &race->side[k / 2]))
				return true;
	}
	return false;
}

static enum confidence judge(const struct race *race)
{
	uint32_t a = race->side[0].touch, b = race->side[1].touch;
	uint32_t near = race->conflict->side[0].touch | race->conflict->side[1].touch;
	bool both_write = a & b & TRACE_TOUCH_WRITE;

	if (is_paused(race->conflict)) {
		if ((a | b) & TRACE_TOUCH_WIDE || (changes(a) && changes(b)))
			return CONFIDENCE_OBSERVED;
		if ((changes(a) || changes(b)) && both_write &&
		    race->conflict->flags & TF_CONFLICT_CHANGED)
			return CONFIDENCE_OBSERVED;
		if (changes(a) || changes(b))
			return CONFIDENCE_POTENTIAL;
	}
	return near & TRACE_TOUCH_NEAR_ATOMIC ? CONFIDENCE_HINT : CONFIDENCE_POTENTIAL;
}

/* ---- the finding ---- */

static const char *verb(uint32_t touch)
{
	if (changes(touch))
		return "changes it";
	if (touch & TRACE_TOUCH_WRITE)
		return "writes it";
	return touch & TRACE_TOUCH_READ ? "reads it" : "touches it";
}

static const char *deed(struct analysis *a, const struct moment *m)
{
	if (m->call)
		return analysis_printf(a, "%s, by the kernel in %s", verb(m->touch),
				       trace_call_name(m->call));
	return m->touch & TRACE_TOUCH_CALLED
		       ? analysis_printf(a, "%s, in a function of libc", verb(m->touch))
		       : verb(m->touch);
}

static const char *list_values(struct analysis *a, const struct tf_def_conflict *c)
{
	if (!(c->flags & TF_CONFLICT_CHANGED))
		return "";
	return analysis_printf(a, " The %u bytes at 0x%llx were 0x%llx before, and 0x%llx after.",
			       c->bytes, (unsigned long long)c->address,
			       (unsigned long long)c->before, (unsigned long long)c->after);
}

static struct finding_access access_of(const struct moment *m, uint64_t address)
{
	bool known = !(m->touch & TRACE_TOUCH_UNKNOWN);

	return (struct finding_access){
		.address = address,
		.bytes = m->touch >> TRACE_TOUCH_SIZE_SHIFT,
		.reads = known && (m->touch & TRACE_TOUCH_READ || changes(m->touch)),
		.writes = known && (m->touch & TRACE_TOUCH_WRITE || changes(m->touch)),
	};
}

static void add_side(struct analysis *a, struct finding *f, uint32_t memory, const struct moment *m,
		     uint64_t address)
{
	uint32_t count, held[32];
	const uint32_t *set = model_get_set(a->model, m->set, &count);
	struct finding_stack *stack;

	count = count < 32 ? count : 32;
	for (uint32_t i = 0; i < count; i++)
		held[i] = MODEL_SET_OBJECT(set[i]);
	stack = analysis_add_stack(a, f, ROLE_ACCESSES, m->thread, 0, m->stack, m->time_ns, held,
				   count);
	stack->lock = memory;
	stack->access = access_of(m, address);
	stack->note = deed(a, m);
}

static const char *why(const struct race *race, enum confidence confidence)
{
	uint32_t both = race->side[0].touch | race->side[1].touch;

	if (confidence == CONFIDENCE_OBSERVED)
		return both & TRACE_TOUCH_WIDE ? "One of the two is made in parts: it can be torn."
					       : "An update can be lost.";
	if (confidence == CONFIDENCE_HINT && is_paused(race->conflict))
		return "There are atomic instructions near by, and these two may be atomic in the source: in the binary that cannot be told from plain moves.";
	if (confidence == CONFIDENCE_HINT)
		return "There are atomic instructions near by, which may order the two in a way that is not recorded.";
	return "Both may be atomic in the source: in the binary that cannot be told from plain moves.";
}

static void report(struct sites *sites, struct analysis *a, const struct race *race,
		   enum confidence confidence)
{
	const struct moment *x = &race->side[0], *y = &race->side[1];
	struct finding *f;
	uint32_t memory;

	/* Of either order of the two one finding. */
	if (ip_of(a, y) < ip_of(a, x)) {
		x = &race->side[1];
		y = &race->side[0];
	}
	f = sites_begin(sites, a, RULE_DATA_RACE, confidence, x->stack, (uint32_t)ip_of(a, y));
	if (!f)
		return;
	analysis_add_thread(a, f, x->thread);
	analysis_add_thread(a, f, y->thread);
	memory = analysis_add_memory(a, f, 0, race->conflict->address);
	f->locks[f->lock_count - 1].value = (struct finding_value){ race->conflict->bytes,
								    race->conflict->before,
								    race->conflict->after };
	add_side(a, f, memory, x, race->conflict->address);
	add_side(a, f, memory, y, race->conflict->address);
	f->title = analysis_printf(a, "{thread:%u} and {thread:%u} use {lock:%u} at the same time",
				   x->thread, y->thread, memory);
	f->message = analysis_printf(
		a, "%s %s.%s %s",
		is_paused(race->conflict)
			? analysis_printf(
				  a,
				  "{thread:%u} stood still in front of its access, and {thread:%u} made its own:",
				  race->side[0].thread, race->side[1].thread)
			: "Both touched it within a short time:",
		is_paused(race->conflict) ? "nothing kept the two apart"
					  : "no lock was held by both, and nothing ordered the two",
		list_values(a, race->conflict), why(race, confidence));
}

static void races_finish(void *state, struct analysis *a)
{
	struct sites *sites = sites_new();
	struct races *s = state;

	/* What is sure first: a place has one finding. */
	for (int level = CONFIDENCE_OBSERVED; s && level >= CONFIDENCE_HINT; level--) {
		for (size_t i = 0; i < s->race_count && analysis_wants(a, RULE_DATA_RACE); i++) {
			const struct race *r = &s->race[i];

			if (judge(r) == (enum confidence)level && !is_atomic(r->side[0].touch) &&
			    !is_atomic(r->side[1].touch) && !is_used_atomically(a, r))
				report(sites, a, r, (enum confidence)level);
		}
	}
	sites_commit(sites, a);
	sites_free(sites);
}

const struct checker checker_races = {
	.name = "races",
	.consumes = CHECKER_ALL,
	.begin = races_begin,
	.on_event = races_on_event,
	.finish = races_finish,
	.release = races_release,
};
