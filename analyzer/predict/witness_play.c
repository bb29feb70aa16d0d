/* SPDX-License-Identifier: MIT */
/*
 * witness_play.c - plays witnesses by the rules of the sequence alone, 64 at a time: a bit each.
 */
#include "witness.h"

enum { BATCH = 64 };

/* Where threads leave witnesses: behind this moment. */
struct leave {
	uint32_t thread, moment;
	uint32_t witness; /* of the batch */
};

/* Two runs side by side: the recorded one, and each witness, which does some of its events. */
struct player {
	const struct digest *digest;
	const struct predict_sequence *sequence;
	const struct acquires *acquires;
	struct witness *const *witness; /* of the batch */
	uint32_t count;
	uint64_t *in;	  /* owns; by thread: witnesses that it is in still */
	uint64_t *left;	  /* owns; by thread: those that leave out events of it */
	uint64_t *unborn; /* owns; by thread: those that leave out its fork */
	uint64_t *taken;  /* owns; by lock: those in which somebody has it */
	uint32_t *owner;  /* owns; by lock: thread + 1 that has it in the sequence */
	uint64_t *waits;  /* owns; by thread: those in which it waits, and is not notified yet */
	uint64_t *
		missed; /* owns; by thread: those in which the sequence notified it then. A wait may end without that, by a timeout */
	uint32_t *wait_lock;	   /* owns; by thread */
	uint32_t *moment;	   /* owns; by thread */
	size_t *done;		   /* owns; by thread: events so far */
	struct leave *leave;	   /* owns; by thread, moment */
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
	return (x->moment > y->moment) - (x->moment < y->moment);
}

static void sort_leaves(struct player *p)
{
	uint32_t threads = p->sequence->threads.count;
	struct leave *leave = room_new((size_t)threads * p->count, sizeof(*leave));
	size_t leaves = 0;

	for (uint32_t w = 0; w < p->count; w++)
		for (uint32_t t = 0; t < threads; t++)
			leave[leaves++] = (struct leave){ t, p->witness[w]->in[t], w };
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
	p->taken = room_new(locks, sizeof(*p->taken));
	p->owner = room_new(locks, sizeof(*p->owner));
	p->waits = room_new(threads, sizeof(*p->waits));
	p->missed = room_new(threads, sizeof(*p->missed));
	p->wait_lock = room_new(threads, sizeof(*p->wait_lock));
	p->moment = room_new(threads, sizeof(*p->moment));
	p->done = room_new(threads, sizeof(*p->done));
	p->stopped = room_new(p->count, sizeof(*p->stopped));
	memset(p->in, 0xff, threads * sizeof(*p->in));
	sort_leaves(p);
}

static void player_release(struct player *p)
{
	free(p->in);
	free(p->left);
	free(p->unborn);
	free(p->taken);
	free(p->owner);
	free(p->waits);
	free(p->missed);
	free(p->wait_lock);
	free(p->moment);
	free(p->done);
	free(p->stopped);
	free(p->leave);
	free(p->next);
}

/* The thread stops here. If it is of the ring: does it stand before its acquire, and has it what the one before wants? */
static void stop(struct player *p, uint32_t w, uint32_t thread)
{
	const struct witness *witness = p->witness[w];
	uint64_t bit = UINT64_C(1) << w;

	for (uint32_t k = 0; k < witness->length; k++) {
		const struct acquire *a = &p->acquires->acquire[witness->acquire[k]];
		const struct acquire *wants =
			&p->acquires->acquire[witness->acquire[(k + witness->length - 1) %
							       witness->length]];

		if (a->thread != thread || a->own != witness->in[thread] + 1)
			continue;
		/* Traces fork threads that run already: only what comes after is due to it. */
		if (p->unborn[thread] & bit || p->waits[thread] & p->missed[thread] & bit)
			continue;
		p->stopped[w] += p->owner[wants->lock] == thread + 1 && wants->thread != thread;
	}
}

static void leave(struct player *p, const struct leave *l, size_t event)
{
	stop(p, l->witness, l->thread);
	p->witness[l->witness]->end[l->thread] = (uint32_t)event;
	p->witness[l->witness]->events += p->done[l->thread];
}

/* Those that the thread is in at its next event, which is this one. */
static uint64_t leave_until(struct player *p, uint32_t thread, size_t event)
{
	uint32_t moment = ++p->moment[thread];

	for (const struct leave *l = p->next[thread];
	     l < p->end && l->thread == thread && l->moment < moment; l = ++p->next[thread]) {
		uint64_t bit = UINT64_C(1) << l->witness;

		leave(p, l, event);
		p->in[thread] &= ~bit;
		p->left[thread] |= bit;
	}
	return p->in[thread];
}

/* Those of `in` that do not have the moment of the thread. */
static uint64_t lack(const struct player *p, uint64_t in, uint32_t thread, uint32_t moment)
{
	uint64_t without = 0;

	for (in &= p->left[thread]; in; in &= in - 1) {
		uint32_t w = (uint32_t)__builtin_ctzll(in);

		if (p->witness[w]->in[thread] < moment)
			without |= UINT64_C(1) << w;
	}
	return without;
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

static void play(struct player *p, const struct digest_event *e, uint64_t in)
{
	/* An edge is what the thread learns of by its next event. */
	if (e->op == DIGEST_LEARNS)
		return;
	p->broken |= in & p->unborn[e->thread];
	switch (e->op) {
	case DIGEST_SEES:
		p->broken |= lack(p, in, e->object, e->detail);
		break;
	case DIGEST_LEARNS:
		break;
	case DIGEST_WAKES:
		end_wait(p, e->thread, in);
		break;
	case DIGEST_UNKNOWN:
		p->broken |= in;
		break;
	case DIGEST_ACQUIRE:
	case DIGEST_TRY:
		p->broken |= in & p->taken[e->object];
		p->taken[e->object] |= in;
		p->owner[e->object] = e->thread + 1;
		break;
	case DIGEST_RELEASE:
		p->broken |= in & ~p->taken[e->object];
		p->taken[e->object] &= ~in;
		p->owner[e->object] = 0;
		break;
	case DIGEST_JOIN:
		p->broken |= in & (p->left[e->object] | p->unborn[e->object]);
		break;
	case DIGEST_WAIT:
		p->waits[e->thread] |= in;
		p->missed[e->thread] &= ~in;
		p->wait_lock[e->thread] = e->object;
		break;
	case DIGEST_NOTIFY:
		notify(p, e->object, in);
		break;
	case DIGEST_FORK:
		p->unborn[e->object] |= ~in;
		break;
	}
}

/* Threads that did all their events. */
static void stop_rest(struct player *p, size_t end)
{
	for (uint32_t t = 0; t < p->sequence->threads.count; t++)
		for (const struct leave *l = p->next[t]; l < p->end && l->thread == t; l++)
			leave(p, l, end);
}

/* Up to the last acquire that a ring wants, with it. */
static void play_until(struct player *p, size_t end)
{
	struct digest_event event[DIGEST_BLOCK];

	for (size_t block = 0; block < digest_blocks(p->digest); block++) {
		size_t count = digest_read(p->digest, block, event);

		digest_tell(p->sequence, p->digest, block);
		for (size_t i = 0; i < count; i++) {
			const struct digest_event *e = &event[i];

			if (e->event > end)
				return;
			play(p, e, leave_until(p, e->thread, e->event));
			p->done[e->thread] += digest_is_event(e->op);
		}
	}
}

/* Its last acquire that the ring wants: the part comes before it. */
static size_t end_of(const struct player *p, const struct witness *witness)
{
	size_t end = 0;

	for (uint32_t k = 0; k < witness->length; k++) {
		size_t event = p->acquires->acquire[witness->acquire[k]].event;

		end = event > end ? event : end;
	}
	return end;
}

static void finish(struct player *p, uint32_t w)
{
	struct witness *witness = p->witness[w];
	uint32_t end = (uint32_t)end_of(p, witness);

	for (uint32_t t = 0; t < p->sequence->threads.count; t++)
		witness->end[t] = witness->end[t] < end ? witness->end[t] : end;
	witness->holds = !(p->broken >> w & 1) && p->stopped[w] == witness->length;
}

static void play_batch(struct player *p)
{
	size_t end = 0;

	player_init(p);
	for (uint32_t w = 0; w < p->count; w++) {
		p->witness[w]->events = 0;
		end = end_of(p, p->witness[w]) > end ? end_of(p, p->witness[w]) : end;
	}
	play_until(p, end);
	stop_rest(p, end);
	for (uint32_t w = 0; w < p->count; w++)
		finish(p, w);
	player_release(p);
}

void witnesses_play(const struct digest *digest, const struct predict_sequence *sequence,
		    const struct acquires *acquires, struct witness *const *witness, size_t count)
{
	for (size_t first = 0; first < count; first += BATCH) {
		struct player p = { .digest = digest,
				    .sequence = sequence,
				    .acquires = acquires,
				    .witness = witness + first,
				    .count = count - first < BATCH ? (uint32_t)(count - first)
								   : BATCH };

		play_batch(&p);
	}
}
