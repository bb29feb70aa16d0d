/* SPDX-License-Identifier: MIT */
/*
 * digest.c - takes events in, drops accesses, packs the rest.
 *
 * An event is a byte of its operation, one of lengths, and four numbers of 0, 1, 2 or 4 bytes, each as difference from the event before in its
 * block: index in the sequence less one, thread (xor), object (xor), place (zigzag) or moment (itself). No branch depends on any of it.
 */
#include "digest.h"

#include "room.h"

enum {
	OP_BITS = 15,
	WROTE = 16,
	NUMBERS = DIGEST_NUMBERS,
	MOST_BYTES = 2 + NUMBERS * 4, /* of an event */
	AHEAD = 16,
};

/* ---- packing ---- */

/* 2 bits that say how many bytes a number takes. */
static inline unsigned code_of(uint32_t number)
{
	return (unsigned)(number > 0) + (number > 0xff) + (number > 0xffff);
}

static inline unsigned bytes_of(unsigned code)
{
	return code + (code == 3);
}

static inline void put(uint8_t *to, uint32_t number)
{
	memcpy(to, &number, sizeof(number));
}

/* Four bytes are read. */
static inline uint32_t get(const uint8_t *from, unsigned code)
{
	static const uint32_t mask[] = { 0, 0xff, 0xffff, 0xffffffff };
	uint32_t number;

	memcpy(&number, from, sizeof(number));
	return number & mask[code];
}

/* Where each number of an event ends, by its byte of lengths. */
static void fill_ends(uint8_t ends[256][NUMBERS])
{
	for (unsigned codes = 0; codes < 256; codes++)
		for (unsigned k = 0, end = 2; k < NUMBERS; k++)
			ends[codes][k] = (uint8_t)(end += bytes_of(codes >> 2 * k & 3));
}

static inline uint32_t zigzag(uint32_t difference)
{
	return difference << 1 ^ (0 - (difference >> 31));
}

static inline uint32_t unzigzag(uint32_t number)
{
	return number >> 1 ^ (0 - (number & 1));
}

static inline bool is_edge(enum digest_op op)
{
	return op <= DIGEST_LEARNS;
}

static void start_block(struct digest *d)
{
	uint32_t event = d->previous.event;

	d->start = room_for(d->start, d->starts, 1, &d->start_capacity, sizeof(*d->start));
	d->start[d->starts++] = (struct digest_start){ d->bytes, event };
	d->byte = room_for(d->byte, d->bytes, DIGEST_BLOCK * MOST_BYTES, &d->byte_capacity, 1);
	d->previous = (struct digest_event){ .event = event };
}

/* A moment of the thread. */
static inline void emit(struct digest *d, enum digest_op op, size_t event, uint32_t by,
			uint32_t object, uint32_t detail)
{
	struct digest_thread *thread = &d->thread[by];
	struct digest_event *previous = &d->previous;
	uint32_t number[NUMBERS];
	unsigned codes = 0;
	const uint8_t *end;
	uint8_t *to;

	if (!(d->count++ % DIGEST_BLOCK))
		start_block(d);
	number[0] = (uint32_t)event - previous->event - 1;
	number[1] = by ^ previous->thread;
	number[2] = object ^ previous->object;
	number[3] = is_edge(op) ? detail : zigzag(detail - previous->detail);
	previous->event = (uint32_t)event;
	previous->thread = by;
	previous->object = object;
	previous->detail = is_edge(op) ? previous->detail : detail;
#pragma GCC unroll 4
	for (int i = 0; i < NUMBERS; i++)
		codes |= code_of(number[i]) << 2 * i;
	to = d->byte + d->bytes;
	end = d->ends[codes];
	d->bytes += end[NUMBERS - 1];
	to[0] = (uint8_t)(op | (thread->wrote ? WROTE : 0));
	to[1] = (uint8_t)codes;
	/* In this order: four bytes each, of which the next number takes some. */
	put(to + 2, number[0]);
	put(to + end[0], number[1]);
	put(to + end[1], number[2]);
	put(to + end[2], number[3]);
	thread->wrote = false;
	thread->moment++;
}

size_t digest_read(const struct digest *digest, size_t block,
		   struct digest_event ret_event[DIGEST_BLOCK])
{
	size_t left = digest->count - block * DIGEST_BLOCK;
	size_t count = left < DIGEST_BLOCK ? left : DIGEST_BLOCK;
	const uint8_t *from = digest->byte + digest->start[block].byte;
	struct digest_event now = { .event = digest->start[block].event };
	uint32_t place = 0, number;

	for (size_t i = 0; i < count; i++) {
		unsigned first = from[0], codes = from[1];
		const uint8_t *end = digest->ends[codes];

		now.op = (enum digest_op)(first & OP_BITS);
		now.wrote = first & WROTE;
		now.event += get(from + 2, codes & 3) + 1;
		now.thread ^= get(from + end[0], codes >> 2 & 3);
		now.object ^= get(from + end[1], codes >> 4 & 3);
		number = get(from + end[2], codes >> 6);
		place += is_edge(now.op) ? 0 : unzigzag(number);
		now.detail = is_edge(now.op) ? number : place;
		ret_event[i] = now;
		from += end[3];
	}
	return count;
}

/* ---- who learns of whom ---- */

static struct digest_known *known_of(struct digest *d, uint32_t thread, struct digest_moment of)
{
	return &d->known[(size_t)thread * d->width + of.thread];
}

static void emit_edge(struct digest *d, uint32_t thread, struct digest_moment of, enum digest_op op,
		      size_t event)
{
	struct digest_known *known = known_of(d, thread, of);

	known->any = of.moment > known->any ? of.moment : known->any;
	if (op == DIGEST_LEARNS)
		known->learnt = of.moment;
	emit(d, op, event, thread, of.thread - 1, of.moment);
}

/* `thread` comes after that moment from now on. */
static void learn(struct digest *d, uint32_t thread, struct digest_moment of, size_t event)
{
	if (of.moment > known_of(d, thread, of)->learnt)
		emit_edge(d, thread, of, DIGEST_LEARNS, event);
}

static struct digest_moment now_of(const struct digest *d, uint32_t thread)
{
	return (struct digest_moment){ thread + 1, d->thread[thread].moment };
}

static void keep(struct digest *d, const struct predict_event *e, enum digest_op op, size_t event)
{
	emit(d, op, event, e->thread, e->object, e->place);
}

/* Whatever a thread does after a wait, it does after the notification. */
static void end_wait(struct digest *d, const struct predict_event *e, size_t event)
{
	uint32_t lock = d->thread[e->thread].waits - 1;

	d->thread[e->thread].waits = 0;
	if (!(d->ignore & PREDICT_IGNORE_WAITS))
		learn(d, e->thread, d->notified[lock], event);
	emit(d, DIGEST_WAKES, event, e->thread, lock, e->place);
}

/* Which notification woke whom is not told: all of them before it. */
static void notify(struct digest *d, const struct predict_event *e, size_t event)
{
	if (!(d->ignore & PREDICT_IGNORE_WAITS))
		learn(d, e->thread, d->notified[e->object], event);
	keep(d, e, DIGEST_NOTIFY, event);
	d->notified[e->object] = now_of(d, e->thread);
}

/* Nearly all are of these: without a branch on whether it writes. */
static inline void access(struct digest *d, const struct predict_event *e, size_t event)
{
	bool writes = e->op == PREDICT_WRITE;
	struct digest_moment now = now_of(d, e->thread), of = d->written[e->object];
	uint32_t known = writes ? UINT32_MAX : known_of(d, e->thread, of)->any;

	d->written[e->object] = writes ? now : of;
	d->thread[e->thread].wrote |= writes;
	if (__builtin_expect(of.moment <= known, 1))
		return;
	d->sees = true;
	emit_edge(d, e->thread, of, DIGEST_SEES, event);
}

/* Those of which it matters only that they were. */
static const uint8_t plain[16] = {
	[PREDICT_ACQUIRE] = DIGEST_ACQUIRE,
	[PREDICT_TRY] = DIGEST_TRY,
	[PREDICT_RELEASE] = DIGEST_RELEASE,
	[PREDICT_UNKNOWN] = DIGEST_UNKNOWN,
};

/* The others. */
static void apply_sync(struct digest *d, const struct predict_event *e, size_t event)
{
	struct digest_thread *thread = &d->thread[e->thread];

	switch ((enum predict_op)e->op) {
	case PREDICT_REQUEST:
		thread->request = (struct digest_request){ thread->last, e->object, e->place };
		break;
	case PREDICT_WAIT:
		keep(d, e, DIGEST_WAIT, event);
		thread->waits = e->object + 1;
		break;
	case PREDICT_NOTIFY:
		notify(d, e, event);
		break;
	case PREDICT_FORK:
		keep(d, e, DIGEST_FORK, event);
		learn(d, e->object, now_of(d, e->thread), event);
		break;
	case PREDICT_JOIN: /* it ended: whatever it requested, it is not stuck there */
		d->thread[e->object].last = 0;
		keep(d, e, DIGEST_JOIN, event);
		learn(d, e->thread, now_of(d, e->object), event);
		break;
	case PREDICT_READ:
	case PREDICT_WRITE:
	case PREDICT_ACQUIRE:
	case PREDICT_TRY:
	case PREDICT_RELEASE:
	case PREDICT_UNKNOWN:
		break;
	}
}

static inline void apply(struct digest *d, const struct predict_event *e, size_t event)
{
	struct digest_thread *thread = &d->thread[e->thread];

	/* A request is no progress: the notification may come while the thread stands there. */
	if (__builtin_expect(thread->waits && e->op != PREDICT_REQUEST, 0))
		end_wait(d, e, event);
	thread->last = (uint32_t)event + 1;
	if (e->op > PREDICT_WRITE && plain[e->op])
		keep(d, e, (enum digest_op)plain[e->op], event);
	else if (e->op > PREDICT_WRITE)
		apply_sync(d, e, event);
	else if (!(d->ignore & PREDICT_IGNORE_READS))
		access(d, e, event);
}

/* ---- the whole ---- */

/* For threads up to this number, those that are there already included. */
static void widen(struct digest *d, uint32_t threads)
{
	uint32_t width = threads + threads / 4 + 8;
	struct digest_known *known = room_new((size_t)width * width, sizeof(*known));

	for (size_t t = 0; t < d->threads; t++)
		memcpy(known + t * width, d->known + t * d->width, d->width * sizeof(*known));
	free(d->known);
	d->known = known;
	d->width = width;
}

static void make_room(struct digest *d, const struct predict_sequence *sequence)
{
	uint32_t threads = sequence->threads.count;

	d->written = room_zeroed(d->written, &d->written_count, sequence->variables.count,
				 &d->written_capacity, sizeof(*d->written));
	d->notified = room_zeroed(d->notified, &d->notified_count, sequence->locks.count,
				  &d->notified_capacity, sizeof(*d->notified));
	if (threads + 2 > d->width)
		widen(d, threads);
	/* The array has one more than there are. */
	for (size_t t = d->threads; t <= threads; t++) {
		struct digest_known *row = d->known + t * d->width;

		row[0] = row[t + 1] = (struct digest_known){ UINT32_MAX, UINT32_MAX };
	}
	d->thread = room_zeroed(d->thread, &d->threads, threads, &d->thread_capacity,
				sizeof(*d->thread));
}

static void fetch(const struct digest *d, const struct predict_event *e)
{
	if (e->op == PREDICT_READ || e->op == PREDICT_WRITE)
		__builtin_prefetch(&d->written[e->object], 1);
}

void digest_add(struct digest *digest, const struct predict_sequence *sequence,
		const struct predict_event *event, size_t count, size_t first)
{
	size_t near = count > AHEAD ? count - AHEAD : 0;

	make_room(digest, sequence);
	if (!first) {
		digest->previous.event = UINT32_MAX;
		fill_ends(digest->ends);
	}
	for (size_t i = 0; i < near; i++) {
		fetch(digest, &event[i + AHEAD]);
		apply(digest, &event[i], first + i);
	}
	for (size_t i = near; i < count; i++)
		apply(digest, &event[i], first + i);
}

void digest_end(struct digest *digest)
{
	for (size_t t = 0; t < digest->threads; t++)
		if (digest->thread[t].request.event != digest->thread[t].last)
			digest->thread[t].request.event = 0;
	free(digest->known);
	free(digest->written);
	free(digest->notified);
	digest->known = NULL;
	digest->written = digest->notified = NULL;
}

void digest_release(struct digest *digest)
{
	digest_end(digest);
	free(digest->byte);
	free(digest->start);
	free(digest->thread);
	*digest = (struct digest){ 0 };
}
