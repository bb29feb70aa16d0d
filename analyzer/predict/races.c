/* SPDX-License-Identifier: MIT */
/*
 * races.c - one pass with a clock for each thread and lock, and of each variable the newest accesses that are not ordered.
 */
#include "races.h"

#include "flow.h"
#include "room.h"

/* Of events ahead of the one that is looked at: what is known of a variable is seldom in a cache. */
enum { AHEAD = 16 };

/* Accesses of which none is ordered after another: one, nearly always. Own entries are never 0: zeroed = none. */
struct newest {
	struct race_access one;
	uint32_t crowd; /* number of the others + 1; 0 = there never were any */
};

/* Half a line of a cache. */
struct variable {
	struct newest writes, reads;
};

struct crowd {
	struct race_access *item; /* owns */
	size_t count, capacity;
};

struct races {
	enum races_order order;
	struct flow flow;
	struct variable *variable; /* owns */
	size_t variables, variable_capacity;
	struct crowd *crowd; /* owns */
	size_t crowds, crowd_capacity;
	struct clock_stamp *written; /* owns; by variable, for SHB; else NULL */
	size_t written_count, written_capacity;
	struct clock_stamp *released; /* owns; by lock */
	size_t released_count, released_capacity;
	bool *racy_place, *racy_variable; /* own */
	size_t racy_places, place_capacity, racy_variables, racy_capacity;
	races_visit visit;
	void *cookie;
	struct races_counts counts;
};

static size_t count_of(const struct races *p, const struct newest *n)
{
	return (n->one.own != 0) + (n->crowd ? p->crowd[n->crowd - 1].count : 0);
}

static struct race_access *item_of(const struct races *p, struct newest *n, size_t index)
{
	return index ? &p->crowd[n->crowd - 1].item[index - 1] : &n->one;
}

static bool is_before(const struct races *p, const struct race_access *a, uint32_t thread)
{
	return a->own <= clocks_of(&p->flow.clocks, thread)[a->thread];
}

/* Tells of those that are not ordered before the event; were there any? */
static bool meet(struct races *p, struct newest *n, bool writes, const struct predict_event *e,
		 size_t index)
{
	bool races = false;

	for (size_t i = 0, count = count_of(p, n); i < count; i++) {
		const struct race_access *a = item_of(p, n, i);

		if (is_before(p, a, e->thread))
			continue;
		races = true;
		if (p->visit)
			p->visit(p->cookie, a, writes, e, index);
	}
	return races;
}

/* Leaves only what is not ordered before the moment of `thread`. */
static void forget_ordered(const struct races *p, struct newest *n, uint32_t thread)
{
	size_t count = count_of(p, n), kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!is_before(p, item_of(p, n, i), thread))
			*item_of(p, n, kept++) = *item_of(p, n, i);
	if (!kept)
		n->one.own = 0;
	if (n->crowd)
		p->crowd[n->crowd - 1].count = kept ? kept - 1 : 0;
}

static struct race_access *room_in(struct races *p, struct newest *n)
{
	struct crowd *crowd;

	if (!n->one.own)
		return &n->one;
	if (!n->crowd) {
		p->crowd = room_for(p->crowd, p->crowds, 1, &p->crowd_capacity, sizeof(*p->crowd));
		p->crowd[p->crowds] = (struct crowd){ 0 };
		n->crowd = (uint32_t)++p->crowds;
	}
	crowd = &p->crowd[n->crowd - 1];
	crowd->item =
		room_for(crowd->item, crowd->count, 1, &crowd->capacity, sizeof(*crowd->item));
	return &crowd->item[crowd->count++];
}

static void put(struct races *p, struct newest *n, const struct predict_event *e)
{
	forget_ordered(p, n, e->thread);
	*room_in(p, n) = (struct race_access){ e->thread, *clocks_own(&p->flow.clocks, e->thread),
					       e->place };
}

/* At most one, and that is ordered before what the thread does now? */
static bool is_calm(const struct newest *n, const uint32_t *now)
{
	return !n->crowd && n->one.own <= now[n->one.thread];
}

static void count_race(struct races *p, const struct predict_event *e)
{
	p->counts.events++;
	p->counts.places += !p->racy_place[e->place];
	p->counts.variables += !p->racy_variable[e->object];
	p->racy_place[e->place] = true;
	p->racy_variable[e->object] = true;
}

static void on_read(struct races *p, const struct predict_event *e, size_t index)
{
	struct variable *v = &p->variable[e->object];
	const uint32_t *now = clocks_of(&p->flow.clocks, e->thread);

	if (!is_calm(&v->writes, now) && meet(p, &v->writes, true, e, index))
		count_race(p, e);
	if (p->written)
		clocks_learn(&p->flow.clocks, e->thread, &p->written[e->object]);
	if (is_calm(&v->reads, now))
		v->reads.one = (struct race_access){ e->thread, now[e->thread], e->place };
	else
		put(p, &v->reads, e);
}

/* With accesses that race, or many. */
static void write_among_others(struct races *p, struct variable *v, const struct predict_event *e,
			       size_t index)
{
	bool races = meet(p, &v->writes, true, e, index);

	races |= meet(p, &v->reads, false, e, index);
	if (races)
		count_race(p, e);
	/* Whatever is unordered with a read before this write is so with the write, too. */
	forget_ordered(p, &v->reads, e->thread);
	put(p, &v->writes, e);
}

static void on_write(struct races *p, const struct predict_event *e, size_t index)
{
	struct variable *v = &p->variable[e->object];
	const uint32_t *now = clocks_of(&p->flow.clocks, e->thread);

	if (is_calm(&v->writes, now) && is_calm(&v->reads, now)) {
		v->writes.one = (struct race_access){ e->thread, now[e->thread], e->place };
		v->reads.one.own = 0;
	} else {
		write_among_others(p, v, e, index);
	}
	if (!p->written)
		return;
	clocks_publish(&p->flow.clocks, e->thread, &p->written[e->object]);
	clocks_tick(&p->flow.clocks, e->thread);
}

static void apply(struct races *p, const struct predict_event *e, size_t index)
{
	struct clocks *clocks = &p->flow.clocks;

	flow_begin(&p->flow, e);
	switch ((enum predict_op)e->op) {
	case PREDICT_READ:
		on_read(p, e, index);
		break;
	case PREDICT_WRITE:
		on_write(p, e, index);
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

static void fetch(const struct races *p, const struct predict_event *e)
{
	if (e->op == PREDICT_READ || e->op == PREDICT_WRITE)
		__builtin_prefetch(&p->variable[e->object], 1);
	if (p->written && (e->op == PREDICT_READ || e->op == PREDICT_WRITE))
		__builtin_prefetch(&p->written[e->object], 1);
}

/* For all that the sequence has by now. */
static void make_room(struct races *p, const struct predict_sequence *sequence)
{
	uint32_t variables = sequence->variables.count;

	flow_make_room(&p->flow, sequence);
	p->variable = room_zeroed(p->variable, &p->variables, variables, &p->variable_capacity,
				  sizeof(*p->variable));
	if (p->order == RACES_SHB)
		p->written = room_zeroed(p->written, &p->written_count, variables,
					 &p->written_capacity, sizeof(*p->written));
	p->released = room_zeroed(p->released, &p->released_count, sequence->locks.count,
				  &p->released_capacity, sizeof(*p->released));
	p->racy_place = room_zeroed(p->racy_place, &p->racy_places, sequence->places.count,
				    &p->place_capacity, sizeof(*p->racy_place));
	p->racy_variable = room_zeroed(p->racy_variable, &p->racy_variables, variables,
				       &p->racy_capacity, sizeof(*p->racy_variable));
}

struct races *races_new(enum races_order order, races_visit visit, void *cookie)
{
	struct races *races = room_new(1, sizeof(*races));

	races->order = order;
	races->visit = visit;
	races->cookie = cookie;
	return races;
}

void races_free(struct races *races)
{
	if (!races)
		return;
	for (size_t i = 0; i < races->crowds; i++)
		free(races->crowd[i].item);
	free(races->crowd);
	flow_release(&races->flow);
	free(races->variable);
	free(races->written);
	free(races->released);
	free(races->racy_place);
	free(races->racy_variable);
	free(races);
}

void races_hear(void *races, const struct predict_sequence *sequence,
		const struct predict_event *event, size_t count, size_t first)
{
	struct races *p = races;
	size_t near = count > AHEAD ? count - AHEAD : 0;

	make_room(p, sequence);
	for (size_t i = 0; i < near; i++) {
		fetch(p, &event[i + AHEAD]);
		apply(p, &event[i], first + i);
	}
	for (size_t i = near; i < count; i++)
		apply(p, &event[i], first + i);
}

struct races_counts races_count(const struct races *races)
{
	return races->counts;
}

void races_find(const struct predict_sequence *sequence, enum races_order order, races_visit visit,
		void *cookie, struct races_counts *ret_counts)
{
	struct races *races = races_new(order, visit, cookie);

	races_hear(races, sequence, sequence->event, sequence->count, 0);
	*ret_counts = races_count(races);
	races_free(races);
}
