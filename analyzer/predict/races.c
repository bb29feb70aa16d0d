/* SPDX-License-Identifier: MIT */
/*
 * races.c - one pass with a clock for each thread and lock, and of each variable the newest accesses that are not ordered.
 */
#include "races.h"

#include "flow.h"
#include "room.h"

/* Of events ahead of the one that is looked at: what is known of a variable is seldom in a cache. */
enum { AHEAD = 16 };

/* Accesses of which none is ordered after another: one, nearly always. */
struct newest {
	struct race_access one; /* valid with count */
	uint32_t count;
	struct race_access *more; /* owns; all but `one` */
	size_t capacity;
};

struct variable {
	struct newest writes, reads;
};

struct pass {
	struct flow flow;
	struct variable *variable;    /* owns */
	struct clock_stamp *written;  /* owns; by variable, for SHB; else NULL */
	struct clock_stamp *released; /* owns; by lock */
	bool *racy_place, *racy_variable;
	races_visit visit;
	void *cookie;
	struct races_counts *counts;
};

static struct race_access *item_of(struct newest *n, uint32_t index)
{
	return index ? &n->more[index - 1] : &n->one;
}

static bool is_before(const struct pass *p, const struct race_access *a, uint32_t thread)
{
	return a->own <= clocks_of(&p->flow.clocks, thread)[a->thread];
}

/* Tells of those that are not ordered before the event; were there any? */
static bool meet(struct pass *p, struct newest *n, bool writes, const struct predict_event *e,
		 size_t index)
{
	bool races = false;

	for (uint32_t i = 0; i < n->count; i++) {
		const struct race_access *a = item_of(n, i);

		if (is_before(p, a, e->thread))
			continue;
		races = true;
		if (p->visit)
			p->visit(p->cookie, e->object, a, writes, index);
	}
	return races;
}

/* Leaves only what is not ordered before the moment of `thread`. */
static void forget_ordered(const struct pass *p, struct newest *n, uint32_t thread)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n->count; i++)
		if (!is_before(p, item_of(n, i), thread))
			*item_of(n, kept++) = *item_of(n, i);
	n->count = kept;
}

static void put(const struct pass *p, struct newest *n, const struct predict_event *e)
{
	forget_ordered(p, n, e->thread);
	if (n->count)
		n->more = room_for(n->more, n->count - 1, 1, &n->capacity, sizeof(*n->more));
	*item_of(n, n->count++) = (struct race_access){ e->thread,
							*clocks_own(&p->flow.clocks, e->thread),
							e->place };
}

static void count_race(struct pass *p, const struct predict_event *e)
{
	p->counts->events++;
	p->counts->places += !p->racy_place[e->place];
	p->counts->variables += !p->racy_variable[e->object];
	p->racy_place[e->place] = true;
	p->racy_variable[e->object] = true;
}

static void access(struct pass *p, const struct predict_event *e, size_t index)
{
	struct variable *v = &p->variable[e->object];
	bool writes = e->op == PREDICT_WRITE;
	bool races = meet(p, &v->writes, true, e, index);

	if (writes)
		races |= meet(p, &v->reads, false, e, index);
	if (races)
		count_race(p, e);
	if (writes) {
		/* Whatever is unordered with a read before this write is so with the write, too. */
		forget_ordered(p, &v->reads, e->thread);
		put(p, &v->writes, e);
		if (!p->written)
			return;
		clocks_publish(&p->flow.clocks, e->thread, &p->written[e->object]);
		clocks_tick(&p->flow.clocks, e->thread);
		return;
	}
	if (p->written)
		clocks_learn(&p->flow.clocks, e->thread, &p->written[e->object]);
	put(p, &v->reads, e);
}

static void apply(struct pass *p, const struct predict_event *e, size_t index)
{
	struct clocks *clocks = &p->flow.clocks;

	flow_begin(&p->flow, e);
	switch ((enum predict_op)e->op) {
	case PREDICT_READ:
	case PREDICT_WRITE:
		access(p, e, index);
		break;
	case PREDICT_ACQUIRE:
	case PREDICT_TRY:
		clocks_learn(clocks, e->thread, &p->released[e->object]);
		break;
	case PREDICT_RELEASE:
		clocks_publish(clocks, e->thread, &p->released[e->object]);
		clocks_tick(clocks, e->thread);
		break;
	case PREDICT_REQUEST:
	case PREDICT_UNKNOWN:
		break;
	case PREDICT_WAIT:
	case PREDICT_NOTIFY:
	case PREDICT_FORK:
	case PREDICT_JOIN:
		flow_apply(&p->flow, e);
		break;
	}
}

static void fetch(const struct pass *p, const struct predict_event *e)
{
	if (e->op == PREDICT_READ || e->op == PREDICT_WRITE)
		__builtin_prefetch(&p->variable[e->object], 1);
}

static void pass_run(struct pass *p, const struct predict_sequence *sequence)
{
	const struct predict_event *event = sequence->event;
	size_t count = sequence->count, near = count > AHEAD ? count - AHEAD : 0;

	for (size_t i = 0; i < near; i++) {
		fetch(p, &event[i + AHEAD]);
		apply(p, &event[i], i);
	}
	for (size_t i = near; i < count; i++)
		apply(p, &event[i], i);
}

void races_find(const struct predict_sequence *sequence, enum races_order order, races_visit visit,
		void *cookie, struct races_counts *ret_counts)
{
	uint32_t variables = sequence->variables.count, locks = sequence->locks.count;
	struct pass p = { .visit = visit, .cookie = cookie, .counts = ret_counts };

	*ret_counts = (struct races_counts){ 0 };
	flow_init(&p.flow, sequence, true);
	p.variable = room_new(variables, sizeof(*p.variable));
	p.written = order == RACES_SHB ? clock_stamps_new(variables) : NULL;
	p.released = clock_stamps_new(locks);
	p.racy_place = room_new(sequence->places.count, sizeof(*p.racy_place));
	p.racy_variable = room_new(variables, sizeof(*p.racy_variable));
	pass_run(&p, sequence);
	for (uint32_t v = 0; v < variables; v++) {
		free(p.variable[v].writes.more);
		free(p.variable[v].reads.more);
	}
	flow_release(&p.flow);
	free(p.variable);
	free(p.written);
	free(p.released);
	free(p.racy_place);
	free(p.racy_variable);
}
