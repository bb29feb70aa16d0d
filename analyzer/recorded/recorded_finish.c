/* SPDX-License-Identifier: MIT */
/*
 * recorded_finish.c - makes the sequence of what was taken in, when all is known of its locks.
 */
#include "../predict/room.h"
#include "recorded_private.h"

struct finish {
	struct recorded *r;
	size_t *last;  /* owns; by thread of the sequence: its last event */
	size_t *until; /* owns; the same: where it begins to be uncertain */
};

static void put(struct finish *f, const struct raw *e, enum predict_op op, uint32_t object)
{
	struct diag why;

	if (predict_sequence_add(&f->r->sequence, e->thread, op, object, e->place, &why))
		f->r->flaw = "the events are in no order that could have happened";
}

static const struct recorded_object *object_of(const struct finish *f, const struct raw *e,
					       uint32_t *ret_id)
{
	*ret_id = (uint32_t)recorded_lock(f->r, e->object).id;
	return &f->r->object[*ret_id];
}

static uint32_t part_of(struct finish *f, uint32_t id, uint32_t reader)
{
	return recorded_lock_of(f->r, RECORDED_READER, id, recorded_thread(f->r, reader));
}

/* Too many readers: all that is done under it is in the order of the run. */
static bool put_crowded(struct finish *f, const struct raw *e)
{
	if (e->op == RAW_REQUEST)
		return true;
	put(f, e, e->op == RAW_RELEASE ? PREDICT_NOTIFY : PREDICT_WAIT, e->object);
	return true;
}

static bool is_taken(const struct predict_sequence *s, uint32_t lock, uint32_t thread)
{
	return lock < s->state_count && s->state[lock].owner && s->state[lock].owner != thread + 1;
}

/* The thread is stuck there: at the part that somebody has. */
static void put_request(struct finish *f, const struct raw *e, const struct recorded_object *o,
			uint32_t id)
{
	struct predict_sequence *s = &f->r->sequence;
	uint32_t lock = e->shared ? part_of(f, id, e->thread) : e->object;

	for (uint32_t i = 0; !e->shared && i < o->readers && !is_taken(s, lock, e->thread); i++)
		lock = part_of(f, id, o->reader[i]);
	if (is_taken(s, lock, e->thread))
		put(f, e, PREDICT_REQUEST, lock);
}

static void put_lock(struct finish *f, const struct raw *e, enum predict_op op)
{
	uint32_t id;
	const struct recorded_object *o = object_of(f, e, &id);

	if (o->readers > READERS_MOST && put_crowded(f, e))
		return;
	if (op == PREDICT_REQUEST) {
		put_request(f, e, o, id);
		return;
	}
	if (!e->shared)
		put(f, e, op, e->object);
	for (uint32_t i = 0; i < o->readers; i++)
		if (!e->shared || o->reader[i] == e->thread)
			put(f, e, op, part_of(f, id, o->reader[i]));
}

static void put_semaphore(struct finish *f, const struct raw *e)
{
	uint32_t id;
	bool plain = object_of(f, e, &id)->is_plain_semaphore;

	switch (e->op) {
	case RAW_SEM_POST:
		put(f, e, plain ? PREDICT_NOTIFY : PREDICT_RELEASE, e->object);
		break;
	case RAW_SEM_TAKE:
		put(f, e, plain ? PREDICT_WAIT : PREDICT_ACQUIRE, e->object);
		break;
	case RAW_SEM_TRY:
		put(f, e, plain ? PREDICT_WAIT : PREDICT_TRY, e->object);
		break;
	default:
		if (!plain)
			put(f, e, PREDICT_REQUEST, e->object);
		break;
	}
}

static void put_event(struct finish *f, const struct raw *e, bool is_last)
{
	switch ((enum raw_op)e->op) {
	case RAW_READ:
		put(f, e, PREDICT_READ, e->object);
		break;
	case RAW_WRITE:
		put(f, e, PREDICT_WRITE, e->object);
		break;
	case RAW_ACQUIRE:
		put_lock(f, e, PREDICT_ACQUIRE);
		break;
	case RAW_TRY:
		put_lock(f, e, PREDICT_TRY);
		break;
	case RAW_RELEASE:
		put_lock(f, e, PREDICT_RELEASE);
		break;
	case RAW_REQUEST:
		if (is_last)
			put_lock(f, e, PREDICT_REQUEST);
		break;
	case RAW_POST:
		put(f, e, PREDICT_NOTIFY, e->object);
		break;
	case RAW_TAKE:
		put(f, e, PREDICT_WAIT, e->object);
		break;
	case RAW_SEM_POST:
	case RAW_SEM_TAKE:
	case RAW_SEM_TRY:
		put_semaphore(f, e);
		break;
	case RAW_SEM_REQUEST:
		if (is_last)
			put_semaphore(f, e);
		break;
	case RAW_FORK:
		put(f, e, PREDICT_FORK, e->object);
		break;
	case RAW_JOIN:
		put(f, e, PREDICT_JOIN, e->object);
		break;
	}
}

/* Cells are numbers already; the sequence wants a name for each. */
static void name_variables(struct recorded *r)
{
	for (uint32_t c = 0; c < r->cells.count; c++)
		names_lookup_or_add(&r->sequence.variables, (const char *)&c, sizeof(c), sizeof(c));
}

/* Parts of one read-write lock are one thing to who waits for them. */
static void group_locks(struct recorded *r)
{
	struct predict_sequence *s = &r->sequence;

	s->group = room_new(s->locks.count, sizeof(*s->group));
	for (uint32_t l = 0; l < s->locks.count; l++) {
		struct recorded_lock lock = recorded_lock(r, l);

		if (lock.kind == RECORDED_READER || lock.kind == RECORDED_OBJECT)
			s->group[l] = (uint32_t)lock.id;
	}
}

const struct predict_sequence *recorded_finish(struct recorded *r)
{
	uint32_t threads = r->sequence.threads.count;
	struct finish f = { .r = r };

	if (r->is_finished)
		return &r->sequence;
	r->is_finished = true;
	f.last = room_new(threads, sizeof(*f.last));
	f.until = room_new(threads, sizeof(*f.until));
	name_variables(r);
	if (threads > PREDICT_MOST_THREADS)
		r->flaw = "there are more threads than are looked at";
	for (size_t i = 0; i < r->count; i++)
		f.last[recorded_raw(r, i)->thread] = i;
	for (uint32_t t = 0; t < threads; t++)
		f.until[t] = known_until(r->known, recorded_thread(r, t));
	for (size_t i = 0; i < r->count; i++) {
		const struct raw *e = recorded_raw(r, i);

		if (i >= f.until[e->thread]) {
			put(&f, e, PREDICT_UNKNOWN, 0);
			f.until[e->thread] = KNOWN_ALL;
		}
		put_event(&f, e, f.last[e->thread] == i);
		if ((i + 1) % RAW_BLOCK == 0 || i + 1 == r->count) {
			free(r->raw[i / RAW_BLOCK]);
			r->raw[i / RAW_BLOCK] = NULL;
		}
	}
	predict_sequence_end(&r->sequence);
	group_locks(r);
	r->sequence.has_memory = r->has_memory;
	free(f.last);
	free(f.until);
	return &r->sequence;
}

const char *recorded_flaw(const struct recorded *r)
{
	return r->flaw;
}
