/* SPDX-License-Identifier: MIT */
/*
 * witness_play.c - plays witnesses by the rules of the sequence alone, 64 at a time: a bit each.
 */
#include "witness.h"

enum { BATCH = 64 };

/* Where threads leave witnesses. */
struct leave {
	uint32_t thread, event;
	uint32_t witness; /* of the batch */
};

/* Two runs side by side: the recorded one, and each witness, which does some of its events. */
struct player {
	const struct predict_sequence *sequence;
	const struct acquires *acquires;
	struct witness *const *witness; /* of the batch */
	uint32_t count;
	uint64_t *in;	  /* owns; by thread: witnesses that it is in still */
	uint64_t *left;	  /* owns; by thread: those that leave out events of it */
	uint64_t *unborn; /* owns; by thread: those that leave out its fork */
	uint64_t *
		newest; /* owns; by variable: those that did its newest write, or nobody wrote it */
	uint64_t *taken; /* owns; by lock: those in which somebody has it */
	uint32_t *owner; /* owns; by lock: thread + 1 that has it in the sequence */
	uint64_t *waits; /* owns; by thread: those in which it waits, and is not notified yet */
	uint64_t *
		missed; /* owns; by thread: those in which the sequence notified it then. A wait may end without that, by a timeout */
	uint32_t *wait_lock;	   /* owns; by thread */
	size_t *done;		   /* owns; by thread: events so far */
	struct leave *leave;	   /* owns; by thread, event */
	const struct leave **next; /* owns; by thread */
	const struct leave *end;
	uint64_t broken;
	uint32_t *stopped; /* owns; by witness: threads of its ring that stand where they should */
};

static int compare_leaves(const void *a, const void *b)
{
	const struct leave *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return (x->event > y->event) - (x->event < y->event);
}

static void sort_leaves(struct player *p)
{
	uint32_t threads = p->sequence->threads.count;
	struct leave *leave = room_new((size_t)threads * p->count, sizeof(*leave));
	size_t leaves = 0;

	for (uint32_t w = 0; w < p->count; w++)
		for (uint32_t t = 0; t < threads; t++)
			leave[leaves++] = (struct leave){ t, p->witness[w]->end[t], w };
	qsort(leave, leaves, sizeof(*leave), compare_leaves);
	p->leave = leave;
	p->end = leave + leaves;
	p->next = room_new(threads, sizeof(*p->next));
	for (uint32_t t = 0; t < threads; t++)
		p->next[t] = leave + (size_t)t * p->count;
}

static void player_init(struct player *p)
{
	const struct predict_sequence *s = p->sequence;
	uint32_t threads = s->threads.count, locks = s->locks.count;

	p->in = room_new(threads, sizeof(*p->in));
	p->left = room_new(threads, sizeof(*p->left));
	p->unborn = room_new(threads, sizeof(*p->unborn));
	p->newest = room_new(s->variables.count, sizeof(*p->newest));
	p->taken = room_new(locks, sizeof(*p->taken));
	p->owner = room_new(locks, sizeof(*p->owner));
	p->waits = room_new(threads, sizeof(*p->waits));
	p->missed = room_new(threads, sizeof(*p->missed));
	p->wait_lock = room_new(threads, sizeof(*p->wait_lock));
	p->done = room_new(threads, sizeof(*p->done));
	p->stopped = room_new(p->count, sizeof(*p->stopped));
	memset(p->in, 0xff, threads * sizeof(*p->in));
	memset(p->newest, 0xff, s->variables.count * sizeof(*p->newest));
	sort_leaves(p);
}

static void player_release(struct player *p)
{
	free(p->in);
	free(p->left);
	free(p->unborn);
	free(p->newest);
	free(p->taken);
	free(p->owner);
	free(p->waits);
	free(p->missed);
	free(p->wait_lock);
	free(p->done);
	free(p->stopped);
	free(p->leave);
	free(p->next);
}

/* The thread stops before its event `i`. If it is of the ring: does it stand before its acquire, and has it what the one before wants? */
static void stop(struct player *p, uint32_t w, uint32_t thread, size_t i)
{
	const struct witness *witness = p->witness[w];
	uint64_t bit = UINT64_C(1) << w;

	for (uint32_t k = 0; k < witness->length; k++) {
		const struct acquire *a = &p->acquires->acquire[witness->acquire[k]];
		const struct acquire *wants =
			&p->acquires->acquire[witness->acquire[(k + witness->length - 1) %
							       witness->length]];

		if (a->thread != thread || a->event != i)
			continue;
		/* Traces fork threads that run already: only what comes after is due to it. */
		if (p->unborn[thread] & bit || p->waits[thread] & p->missed[thread] & bit)
			continue;
		p->stopped[w] += p->owner[wants->lock] == thread + 1 && wants->thread != thread;
	}
}

/* Those that the thread is in at its event `i`. */
static uint64_t leave_until(struct player *p, uint32_t thread, size_t i)
{
	for (const struct leave *l = p->next[thread];
	     l < p->end && l->thread == thread && l->event <= i; l = ++p->next[thread]) {
		uint64_t bit = UINT64_C(1) << l->witness;

		stop(p, l->witness, thread, i);
		p->in[thread] &= ~bit;
		p->left[thread] |= bit;
		p->witness[l->witness]->events += p->done[thread];
	}
	p->done[thread]++;
	return p->in[thread];
}

/* In the witnesses `in`, and in the others only in the sequence. */
static void notify(struct player *p, uint32_t lock, uint64_t in)
{
	for (uint32_t t = 0; t < p->sequence->threads.count; t++) {
		uint64_t there = ~p->left[t];

		if (!p->waits[t] || p->wait_lock[t] != lock)
			continue;
		p->waits[t] &= ~(in & there);
		p->missed[t] = (p->missed[t] & ~there) | (~in & there);
	}
}

static void end_wait(struct player *p, uint32_t thread, uint64_t in)
{
	p->broken |= in & p->waits[thread] & p->missed[thread];
	p->waits[thread] &= ~in;
}

static void play(struct player *p, const struct predict_event *e, uint64_t in)
{
	p->broken |= in & p->unborn[e->thread];
	if (p->waits[e->thread] && e->op != PREDICT_REQUEST)
		end_wait(p, e->thread, in);
	switch ((enum predict_op)e->op) {
	case PREDICT_READ:
		p->broken |= in & ~p->newest[e->object];
		break;
	case PREDICT_WRITE:
		p->newest[e->object] = in;
		break;
	case PREDICT_UNKNOWN:
		p->broken |= in;
		break;
	case PREDICT_ACQUIRE:
	case PREDICT_TRY:
		p->broken |= in & p->taken[e->object];
		p->taken[e->object] |= in;
		p->owner[e->object] = e->thread + 1;
		break;
	case PREDICT_RELEASE:
		p->broken |= in & ~p->taken[e->object];
		p->taken[e->object] &= ~in;
		p->owner[e->object] = 0;
		break;
	case PREDICT_JOIN:
		p->broken |= in & (p->left[e->object] | p->unborn[e->object]);
		break;
	case PREDICT_WAIT:
		p->waits[e->thread] |= in;
		p->missed[e->thread] &= ~in;
		p->wait_lock[e->thread] = e->object;
		break;
	case PREDICT_NOTIFY:
		notify(p, e->object, in);
		break;
	case PREDICT_FORK:
		p->unborn[e->object] |= ~in;
		break;
	case PREDICT_REQUEST:
		break;
	}
}

/* The last steps, from the end. */
static void fill_steps(const struct predict_sequence *s, size_t end, struct witness *w)
{
	struct witness_step step[WITNESS_STEPS];
	uint32_t steps = 0;

	for (size_t i = end; i-- > 0;) {
		uint32_t thread = s->event[i].thread;

		if (i >= w->end[thread])
			continue;
		if (!steps || step[steps - 1].thread != thread) {
			if (steps == WITNESS_STEPS)
				break;
			step[steps++] = (struct witness_step){ .thread = thread, .last = i };
		}
		step[steps - 1].first = i;
		step[steps - 1].count++;
	}
	w->steps = steps;
	for (uint32_t k = 0; k < steps; k++)
		w->step[k] = step[steps - 1 - k];
}

/* Behind all that its ring wants, and so behind the part before it. */
static size_t end_of(const struct player *p, uint32_t w)
{
	size_t end = 0;

	for (uint32_t k = 0; k < p->witness[w]->length; k++) {
		size_t event = p->acquires->acquire[p->witness[w]->acquire[k]].event;

		end = event >= end ? event + 1 : end;
	}
	return end;
}

/* Threads that did all their events. */
static void stop_rest(struct player *p)
{
	for (uint32_t t = 0; t < p->sequence->threads.count; t++)
		for (const struct leave *l = p->next[t]; l < p->end && l->thread == t; l++)
			p->witness[l->witness]->events += p->done[t];
}

static void play_batch(const struct predict_sequence *sequence, const struct acquires *acquires,
		       struct witness *const *witness, uint32_t count)
{
	struct player p = {
		.sequence = sequence, .acquires = acquires, .witness = witness, .count = count
	};
	size_t end = 0;

	player_init(&p);
	for (uint32_t w = 0; w < count; w++) {
		witness[w]->events = 0;
		end = end_of(&p, w) > end ? end_of(&p, w) : end;
	}
	for (size_t i = 0; i < end; i++) {
		const struct predict_event *e = &sequence->event[i];

		predict_sequence_pass(sequence, i);
		play(&p, e, leave_until(&p, e->thread, i));
	}
	stop_rest(&p);
	for (uint32_t w = 0; w < count; w++) {
		witness[w]->holds = !(p.broken >> w & 1) && p.stopped[w] == witness[w]->length;
		fill_steps(sequence, end_of(&p, w), witness[w]);
	}
	player_release(&p);
}

void witnesses_play(const struct predict_sequence *sequence, const struct acquires *acquires,
		    struct witness *const *witness, size_t count)
{
	for (size_t first = 0; first < count; first += BATCH)
		play_batch(sequence, acquires, witness + first,
			   count - first < BATCH ? (uint32_t)(count - first) : BATCH);
}
