/* SPDX-License-Identifier: MIT */
/*
 * digest.c - takes events in, drops accesses, packs the rest.
 *
 * An event is a byte of flags, and numbers of 7 bits a byte, each only if the flags do not say it: how many events of the sequence were left
 * out before it, thread, object, place as difference from the one before (zigzag), or moment.
 */
#include "digest.h"

#include "room.h"

enum {
	OP_BITS = 15,
	SAME_THREAD = 16, /* as the event before in the block */
	SAME_OBJECT = 32,
	NEXT = 64, /* nothing was left out before it */
	WROTE = 128,
	MOST_BYTES = 1 + 4 * 5, /* of an event */
	AHEAD = 16,
};

/* ---- packing ---- */

static uint8_t *put(uint8_t *to, uint32_t number)
{
	for (; number > 0x7f; number >>= 7)
		*to++ = (uint8_t)(number | 0x80);
	*to++ = (uint8_t)number;
	return to;
}

static const uint8_t *get_long(const uint8_t *from, uint32_t *number)
{
	uint32_t shift = 7;

	*number &= 0x7f;
	do {
		*number |= (uint32_t)(*from & 0x7f) << shift;
		shift += 7;
	} while (*from++ & 0x80);
	return from;
}

static inline const uint8_t *get(const uint8_t *from, uint32_t *ret_number)
{
	*ret_number = *from++;
	return *ret_number & 0x80 ? get_long(from, ret_number) : from;
}

static uint32_t zigzag(uint32_t difference)
{
	return difference << 1 ^ (0 - (difference >> 31));
}

static uint32_t unzigzag(uint32_t number)
{
	return number >> 1 ^ (0 - (number & 1));
}

static bool is_edge(enum digest_op op)
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

/* A moment of `e->thread`. */
static void emit(struct digest *d, struct digest_event e)
{
	struct digest_thread *thread = &d->thread[e.thread];
	struct digest_event *previous = &d->previous;
	uint8_t flags = (uint8_t)e.op, *start, *to;

	if (!(d->count++ % DIGEST_BLOCK))
		start_block(d);
	start = d->byte + d->bytes;
	to = start + 1;
	if (e.event == previous->event + 1)
		flags |= NEXT;
	else
		to = put(to, e.event - previous->event);
	if (e.thread == previous->thread)
		flags |= SAME_THREAD;
	else
		to = put(to, e.thread);
	if (e.object == previous->object)
		flags |= SAME_OBJECT;
	else
		to = put(to, e.object);
	if (is_edge(e.op)) {
		to = put(to, e.detail);
		e.detail = previous->detail;
	} else {
		to = put(to, zigzag(e.detail - previous->detail));
	}
	*start = flags | (thread->wrote ? WROTE : 0);
	d->bytes += (size_t)(to - start);
	*previous = e;
	thread->wrote = false;
	thread->moment++;
}

size_t digest_read(const struct digest *digest, size_t block,
		   struct digest_event ret_event[DIGEST_BLOCK])
{
	size_t left = digest->count - block * DIGEST_BLOCK;
	size_t count = left < DIGEST_BLOCK ? left : DIGEST_BLOCK;
	const uint8_t *from = digest->byte + digest->start[block].byte;
	uint32_t event = digest->start[block].event, thread = 0, object = 0, place = 0, number;

	for (size_t i = 0; i < count; i++) {
		uint8_t flags = *from++;
		enum digest_op op = (enum digest_op)(flags & OP_BITS);

		number = 1;
		if (!(flags & NEXT))
			from = get(from, &number);
		event += number;
		if (!(flags & SAME_THREAD))
			from = get(from, &thread);
		if (!(flags & SAME_OBJECT))
			from = get(from, &object);
		from = get(from, &number);
		if (!is_edge(op))
			place += unzigzag(number);
		ret_event[i] = (struct digest_event){ .event = event,
						      .thread = thread,
						      .object = object,
						      .detail = is_edge(op) ? number : place,
						      .op = op,
						      .wrote = flags & WROTE };
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
	emit(d, (struct digest_event){ .event = (uint32_t)event,
				       .thread = thread,
				       .object = of.thread - 1,
				       .detail = of.moment,
				       .op = op });
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
	emit(d, (struct digest_event){ .event = (uint32_t)event,
				       .thread = e->thread,
				       .object = e->object,
				       .detail = e->place,
				       .op = op });
}

/* Whatever a thread does after a wait, it does after the notification. */
static void end_wait(struct digest *d, const struct predict_event *e, size_t event)
{
	uint32_t lock = d->thread[e->thread].waits - 1;

	d->thread[e->thread].waits = 0;
	if (!(d->ignore & PREDICT_IGNORE_WAITS))
		learn(d, e->thread, d->notified[lock], event);
	emit(d, (struct digest_event){ .event = (uint32_t)event,
				       .thread = e->thread,
				       .object = lock,
				       .detail = e->place,
				       .op = DIGEST_WAKES });
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

static void apply(struct digest *d, const struct predict_event *e, size_t event)
{
	struct digest_thread *thread = &d->thread[e->thread];

	/* A request is no progress: the notification may come while the thread stands there. */
	if (thread->waits && e->op != PREDICT_REQUEST)
		end_wait(d, e, event);
	thread->last = (uint32_t)event + 1;
	if (e->op <= PREDICT_WRITE) {
		if (!(d->ignore & PREDICT_IGNORE_READS))
			access(d, e, event);
		return;
	}
	switch ((enum predict_op)e->op) {
	case PREDICT_READ:
	case PREDICT_WRITE:
		break;
	case PREDICT_ACQUIRE:
		keep(d, e, DIGEST_ACQUIRE, event);
		break;
	case PREDICT_TRY:
		keep(d, e, DIGEST_TRY, event);
		break;
	case PREDICT_RELEASE:
		keep(d, e, DIGEST_RELEASE, event);
		break;
	case PREDICT_REQUEST:
		thread->request = (struct digest_request){ thread->last, e->object, e->place };
		break;
	case PREDICT_UNKNOWN:
		keep(d, e, DIGEST_UNKNOWN, event);
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
	}
}

/* ---- the whole ---- */

static void make_room(struct digest *d, const struct predict_sequence *sequence)
{
	uint32_t threads = sequence->threads.count, width = d->width ? d->width : 16;
	struct digest_known all = { UINT32_MAX, UINT32_MAX };
	struct digest_known *known;

	d->thread = room_zeroed(d->thread, &d->threads, threads, &d->thread_capacity,
				sizeof(*d->thread));
	d->written = room_zeroed(d->written, &d->written_count, sequence->variables.count,
				 &d->written_capacity, sizeof(*d->written));
	d->notified = room_zeroed(d->notified, &d->notified_count, sequence->locks.count,
				  &d->notified_capacity, sizeof(*d->notified));
	if (threads < d->width)
		return;
	while (width <= threads)
		width *= 2;
	known = room_new((size_t)width * width, sizeof(*known));
	for (size_t t = 0; t < d->width; t++)
		memcpy(known + t * width, d->known + t * d->width, d->width * sizeof(*known));
	for (size_t t = 0; t + 1 < width; t++)
		known[t * width] = known[t * width + t + 1] = all;
	free(d->known);
	d->known = known;
	d->width = width;
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
	if (!first)
		digest->previous.event = UINT32_MAX;
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
