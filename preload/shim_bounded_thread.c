/* SPDX-License-Identifier: MIT */
/*
 * shim_bounded_thread.c - bounded mode: the beginning and end of threads, and the ring that a thread writes.
 */
#include "shim_bounded_private.h"

#include "shim_task_slot.h"

/* ---- threads and the process ---- */

static void thread_end(struct stream *s, const struct fact *f)
{
	struct bounded *b = s->bounded;

	if (b->count && (!facts_thread_churns(s->thread) || bounded_is_new_request(s, f))) {
		facts_tell(s, f, FACT_STAYS);
		b->at_thread_end = true;
		for (uint32_t i = 0; i < b->count; i++) {
			b->holds[i].ticks =
				0; /* destructors may still unlock it: then that is told */
		}
	} else if (!facts_thread_churns(s->thread)) {
		bounded_tell(s, f);
	}
}

/* Of another thread, or of oneself. */
static void thread_event(struct stream *s, const struct fact *f)
{
	bool churns = facts_thread_churns(f->op == TRACE_EXIT ? s->thread : (uint32_t)f->a);

	if (!churns || (f->r && bounded_is_new_site(s, f)) ||
	    (s->bounded->count && bounded_is_new_request(s, f))) {
		bounded_tell(s, f);
	}
	if (f->op == TRACE_DETACH && !f->r) {
		facts_thread_detached((uint32_t)f->a);
	}
	if (f->op == TRACE_CREATE || (f->op == TRACE_JOIN && !f->r)) {
		bounded_next_epoch(s);
	}
}

/* ---- loops ---- */

static uint32_t octave_eighths(uint64_t us)
{
	uint32_t log = 63 - (uint32_t)__builtin_clzll(us | 8);

	return log * 8 + (uint32_t)(us >> (log - 3) & 7);
}

/*
 * A busy loop turns a thousand times a second. Told are the first turns in a row of each place, by which an unknown loop shows, and later the
 * first that come each so much later than the one before.
 */
static void turn(struct stream *s, const struct fact *f)
{
	enum { FIRST = 64, LONG_US = 20000 };
	struct bounded *b = s->bounded;
	uint64_t all_us = b->turn_ticks ? region_ticks_us(s->last_ticks - b->turn_ticks) : 0;
	uint64_t waited_us = f->a >> 1, us = all_us > waited_us ? all_us - waited_us : 0;
	struct fact key = { .op = f->op, .stack = f->stack };

	if (f->stack != b->turn_stack) {
		b->turn_stack = f->stack;
		b->turn_count = 0;
	}
	b->turn_count += b->turn_count < FIRST;
	key.a = b->turn_count < FIRST ? b->turn_count : 0;
	key.r = us >= LONG_US ? octave_eighths(us) : 0;
	if ((key.a || key.r) && bounded_is_new_site(s, &key)) {
		facts_tell(s, f, b->turn_ticks ? FACT_STRETCH | FACT_BUSY : 0);
	}
	b->turn_ticks = s->last_ticks;
	b->busy_us = 0;
}

static void task_step(struct stream *s, const struct fact *f)
{
	struct fact key = *f;
	enum trace_task_step step = (enum trace_task_step)(f->r >> 1);

	key.a = 0;
	if (bounded_is_new_site(s, &key)) {
		task_slot_pin((uint32_t)f->a);
		facts_tell(s, f, step == TRACE_TASK_RETURNED ? FACT_BUSY : 0);
	}
	if (step == TRACE_TASK_CALLED || step == TRACE_TASK_RETURNED) {
		s->bounded->busy_us = 0;
	}
}

void bounded_plain(struct stream *s, unsigned op, uint64_t a, uint64_t b, uint64_t c)
{
	struct fact f;

	facts_from_fields(&f, op, a, b, c);
	if (!s->bounded->recording) {
		return;
	}
	if (s->bounded->count) {
		bounded_drop_invalid(s);
	}
	s->bounded->seen = false;
	switch (op) {
	case TRACE_THREAD_END:
		thread_end(s, &f);
		break;
	case TRACE_CREATE:
	case TRACE_CREATE_FAILED:
	case TRACE_JOIN:
	case TRACE_DETACH:
	case TRACE_CANCEL:
	case TRACE_EXIT:
	case TRACE_NAME:
	case TRACE_THREAD_BEGIN:
		thread_event(s, &f);
		break;
	case TRACE_UNBLOCK:
		if (s->bounded->block_told) {
			bounded_tell(s, &f);
		}
		break;
	case TRACE_SIGNAL_MASK:
		s->bounded->masked = true;
		bounded_set_salt(s); /* told with the next fact: see facts_tell */
		if (f.stack && bounded_is_new_site(s, &f)) {
			bounded_tell(s, &f);
		}
		break;
	case TRACE_FORK_BEGIN:
		facts_tell(s, &f, FACT_EVERYBODY);
		break;
	case TRACE_WOKEN: /* of some of them alone, readers would take old ones for new ones */
		break;
	case TRACE_TURN:
		turn(s, &f);
		break;
	case TRACE_BUSY:
		s->bounded->busy_us = f.a;
		s->bounded->busy_result = f.r;
		break;
	case TRACE_TASK:
		task_step(s, &f);
		break;
	default: /* FORK, EXEC, SPAWN, REAP, PROCESS_EXIT, SIGNAL_ACTION, … */
		bounded_tell(s, &f);
		break;
	}
}

void bounded_thread_begin(struct stream *s)
{
	struct bounded *b = s->bounded;

	b->count = b->unseen = 0;
	b->mix = 0;
	b->request_object = 0;
	b->at_thread_end = b->block_told = false;
	b->epoch = 0;
	b->told_mask = 0;
	b->masked = false;
	b->turn_stack = b->turn_count = 0;
	b->turn_ticks = b->busy_us = 0;
	bounded_set_salt(s);
}

/* ---- streams ---- */

bool bounded_stream_new(struct stream *s)
{
	if (!shim->facts) {
		return false;
	}
	s->bounded = shim_pages(sizeof(*s->bounded));
	return s->bounded && bounded_next_slot(s);
}

/* What the slot begins with: all that is held, and the signal mask. */
static void write_keyframe(struct stream *s)
{
	struct fact *held = s->bounded->told;
	uint32_t count = facts_list_held(s, held);
	uint8_t *p = encode_varint(emit_head(s, TRACE_KEYFRAME, s->last_ticks), count);

	for (uint32_t i = 0; i < count; i++) {
		p = encode_varint(emit_head_at(p, TRACE_HELD), held[i].object);
		p = encode_varint(p, held[i].stack);
		p = encode_varint(p, held[i].a);
		p = encode_varint(p, held[i].r);
		s->last_object = held[i].object;
	}
	if (s->bounded->masked) {
		p = encode_varint(emit_head_at(p, TRACE_SIGNAL_MASK), s->signal_mask);
		p = encode_varint(p, 0);
	}
	emit_commit(s, p);
}

static struct tf_slot *slot_of(struct tf_segment *g, uint64_t number)
{
	return (void *)((uint8_t *)g + TF_SEGMENT_HEADER_BYTES + number % TF_SLOTS * TF_SLOT_BYTES);
}

/* Less than a ring is wanted: shorter slots, and of very little no more than two. */
static void forget_early(struct stream *s, uint64_t number)
{
	uint64_t slots = shim_options.flight < TF_SLOT_BYTES ? 2 : TF_SLOTS;
	uint64_t bytes = shim_options.flight / slots + ROOM_EARLY;

	if (bytes < TF_SLOT_PAYLOAD_BYTES) {
		s->limit = s->cursor + bytes;
	}
	if (number >= slots && slots < TF_SLOTS) {
		__atomic_store_n(&slot_of(s->segment, number - slots)->committed, 0,
				 __ATOMIC_RELEASE);
	}
}

bool bounded_next_slot(struct stream *s)
{
	struct tf_segment *g = s->segment;
	struct bounded *b = s->bounded;
	bool first = !b->ring;
	uint64_t number = first ? g->chunk : g->chunk + 1;
	struct tf_slot *slot;

	if (!facts_are_wanted()) {
		return false;
	}
	if (first) {
		b->ring = b->recording = true;
		for (uint32_t i = 0; i < 1 << KNOWN_BITS; i++) {
			b->known[i] = 0;
		}
		g->thread = s->thread;
		__atomic_store_n(&g->committed, 0, __ATOMIC_RELEASE);
		for (uint32_t i = 0; i < TF_SLOTS; i++) {
			slot = slot_of(g, i);
			slot->committed = 0;
			slot->number = UINT64_MAX;
		}
	}
	slot = slot_of(g, number);
	__atomic_store_n(&slot->committed, 0, __ATOMIC_RELEASE);
	slot->number = number;
	slot->base_ticks = s->last_ticks = arch_ticks();
	slot->thread = s->thread;
	slot->events = g->events;
	s->committed = (_Atomic uint32_t *)&slot->committed;
	s->payload = s->cursor = (uint8_t *)(slot + 1);
	s->limit = (uint8_t *)slot + TF_SLOT_BYTES;
	s->last_object = 0;
	s->order_key = s->index | (uint32_t)number << 16;
	write_keyframe(s);
	if (unlikely(shim_options.flight < TF_PAYLOAD_BYTES)) {
		forget_early(s, number);
	}
	__atomic_store_n(&g->chunk, number, __ATOMIC_RELEASE);
	if (first) {
		__atomic_store_n(&g->kind, TF_SEGMENT_RING, __ATOMIC_RELEASE);
	} else if (number >= TF_SLOTS) {
		__atomic_fetch_add(&shim->process->expired_chunks, 1, __ATOMIC_RELAXED);
	}
	if (number % TF_SLOTS == 0) {
		region_calibrate();
	}
	return true;
}
