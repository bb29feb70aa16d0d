/* SPDX-License-Identifier: MIT */
/*
 * witness.c - picks the part out of the sequence; and plays a witness by the rules of the sequence alone.
 */
#include "witness.h"

#include "room.h"

#define NOBODY UINT32_MAX

static void append(struct witness *w, uint32_t thread, size_t event)
{
	struct witness_step *step = w->count ? &w->step[w->count - 1] : NULL;

	w->events++;
	if (!step || step->thread != thread) {
		w->step = room_for(w->step, w->count, 1, &w->capacity, sizeof(*w->step));
		step = &w->step[w->count++];
		*step = (struct witness_step){ .thread = thread, .first = event };
	}
	step->last = event;
	step->count++;
}

void witness_make(const struct closure *closure, const uint32_t *acquire, uint32_t count,
		  struct witness *ret_witness)
{
	const struct predict_sequence *sequence = closure->sequence;
	uint32_t threads = sequence->threads.count;
	uint32_t *moment = room_new(threads, sizeof(*moment));
	size_t *end = room_new(threads, sizeof(*end)); /* of the threads of the ring */

	*ret_witness = (struct witness){ 0 };
	for (uint32_t t = 0; t < threads; t++)
		moment[t] = 1;
	for (uint32_t i = 0; i < count; i++) {
		const struct acquire *a = &closure->acquires->acquire[acquire[i]];

		end[a->thread] = a->event;
	}
	for (size_t i = 0; i < sequence->count; i++) {
		const struct predict_event *e = &sequence->event[i];
		uint32_t t = e->thread, in = closure->in[t];
		bool is_in;

		if (order_ticks((enum predict_op)e->op))
			is_in = ++moment[t] <= in;
		else
			is_in = moment[t] < in || (moment[t] == in && i < end[t]);
		if (e->op == PREDICT_JOIN)
			moment[e->object]++;
		if (is_in)
			append(ret_witness, t, i);
	}
	free(moment);
	free(end);
}

void witness_release(struct witness *witness)
{
	free(witness->step);
	*witness = (struct witness){ 0 };
}

/* ---- playing it ---- */

/* Two runs side by side: the recorded one, and the witness, which does some of its events. */
struct player {
	size_t *recorded; /* owns; by variable: its newest write in the sequence, event + 1 */
	size_t *written;  /* owns; by variable: the same in the witness */
	uint32_t *owner;  /* owns; by lock, in the witness */
	uint32_t *waits;  /* owns; by thread: lock + 1 it waits through, not notified yet */
	bool *missed; /* owns; by thread: the sequence notified it then. A wait may end without that, by a timeout */
	size_t *left;	/* owns; by thread: its first event that the witness leaves out, + 1 */
	size_t *unborn; /* owns; by thread: the first of its forks that the witness leaves out, + 1 */
};

static void player_init(struct player *p, const struct predict_sequence *s)
{
	p->recorded = room_new(s->variables.count, sizeof(*p->recorded));
	p->written = room_new(s->variables.count, sizeof(*p->written));
	p->owner = room_new(s->locks.count, sizeof(*p->owner));
	p->waits = room_new(s->threads.count, sizeof(*p->waits));
	p->missed = room_new(s->threads.count, sizeof(*p->missed));
	p->left = room_new(s->threads.count, sizeof(*p->left));
	p->unborn = room_new(s->threads.count, sizeof(*p->unborn));
	memset(p->owner, 0xff, s->locks.count * sizeof(*p->owner));
}

static void player_release(struct player *p)
{
	free(p->recorded);
	free(p->written);
	free(p->owner);
	free(p->waits);
	free(p->missed);
	free(p->left);
	free(p->unborn);
}

/* A notification, in the witness or only in the sequence. */
static void notify(struct player *p, uint32_t threads, uint32_t lock, bool is_in)
{
	for (uint32_t t = 0; t < threads; t++) {
		if (p->waits[t] != lock + 1 || p->left[t])
			continue;
		p->waits[t] = is_in ? 0 : p->waits[t];
		p->missed[t] = !is_in;
	}
}

static bool still_waits(const struct player *p, uint32_t thread)
{
	return p->waits[thread] && p->missed[thread];
}

/* Can the witness do this event now? Then it has. */
static bool play(struct player *p, const struct predict_sequence *s, size_t i)
{
	const struct predict_event *e = &s->event[i];

	if (p->left[e->thread] || p->unborn[e->thread])
		return false;
	if (e->op != PREDICT_REQUEST) {
		if (still_waits(p, e->thread))
			return false;
		p->waits[e->thread] = 0;
	}
	switch ((enum predict_op)e->op) {
	case PREDICT_READ:
		return p->written[e->object] == p->recorded[e->object];
	case PREDICT_WRITE:
		p->written[e->object] = i + 1;
		return true;
	case PREDICT_ACQUIRE:
		if (p->owner[e->object] != NOBODY)
			return false;
		p->owner[e->object] = e->thread;
		return true;
	case PREDICT_RELEASE:
		if (p->owner[e->object] != e->thread)
			return false;
		p->owner[e->object] = NOBODY;
		return true;
	case PREDICT_JOIN:
		return !p->left[e->object] && !p->unborn[e->object];
	case PREDICT_WAIT:
		p->waits[e->thread] = e->object + 1;
		p->missed[e->thread] = false;
		return true;
	case PREDICT_NOTIFY:
		notify(p, s->threads.count, e->object, true);
		return true;
	case PREDICT_REQUEST:
	case PREDICT_FORK:
		break;
	}
	return true;
}

static void leave(struct player *p, const struct predict_sequence *s, size_t i)
{
	const struct predict_event *e = &s->event[i];

	if (!p->left[e->thread])
		p->left[e->thread] = i + 1;
	if (e->op == PREDICT_FORK && !p->unborn[e->object])
		p->unborn[e->object] = i + 1;
	else if (e->op == PREDICT_NOTIFY)
		notify(p, s->threads.count, e->object, false);
}

static bool is_ring(const struct player *p, const struct acquires *acquires,
		    const uint32_t *acquire, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct acquire *a = &acquires->acquire[acquire[i]];
		const struct acquire *giver = &acquires->acquire[acquire[(i + 1) % count]];

		if (p->left[a->thread] != a->event + 1 || still_waits(p, a->thread))
			return false;
		/* Traces fork threads that run already: only what comes after is due to it. */
		if (p->unborn[a->thread] && p->unborn[a->thread] <= a->event)
			return false;
		if (p->owner[a->lock] != giver->thread || giver->thread == a->thread)
			return false;
	}
	return true;
}

/* Behind all that the witness does and the ring wants. */
static size_t end_of(const struct acquires *acquires, const struct witness *witness,
		     const uint32_t *acquire, uint32_t count)
{
	size_t end = witness->count ? witness->step[witness->count - 1].last + 1 : 0;

	for (uint32_t i = 0; i < count; i++) {
		size_t event = acquires->acquire[acquire[i]].event;

		end = event >= end ? event + 1 : end;
	}
	return end;
}

bool witness_holds(const struct predict_sequence *sequence, const struct acquires *acquires,
		   const struct witness *witness, const uint32_t *acquire, uint32_t count)
{
	const struct witness_step *step = witness->step, *last = step + witness->count;
	size_t end = end_of(acquires, witness, acquire, count), done = 0;
	struct player player;
	bool holds = true;

	player_init(&player, sequence);
	for (size_t i = 0; holds && i < end; i++) {
		const struct predict_event *e = &sequence->event[i];

		if (step < last && i > step->last)
			step++;
		if (step < last && i >= step->first && e->thread == step->thread) {
			holds = play(&player, sequence, i);
			done++;
		} else {
			leave(&player, sequence, i);
		}
		if (e->op == PREDICT_WRITE)
			player.recorded[e->object] = i + 1;
	}
	holds = holds && done == witness->events && is_ring(&player, acquires, acquire, count);
	player_release(&player);
	return holds;
}
