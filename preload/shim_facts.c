/* SPDX-License-Identifier: MIT */
/*
 * shim_facts.c - bounded mode: the stream that facts are written to.
 */
#include "shim_facts_private.h"

enum { FACT_BYTES = 64 }; /* at most, of one record */

/* Letters of the FIELDS column, with blanks between them. */
static const char fields_of[TF_OPS][12] = {
#define EVENT(num, NAME, word, fields, doc) [num] = #fields,
#include "../spec/events.def"
#undef EVENT
};
void bounded_boot(void)
{
	if (!shim_options.bounded && !shim_options.max_size) {
		return;
	}
	shim->facts = shim_pages(sizeof(*shim->facts));
	shim->by_id = shim->facts ? shim_pages(BY_ID * sizeof(struct story *)) : NULL;
	if (!shim->by_id) {
		shim->facts = NULL;
		return;
	}
	shim->facts->used_end = &shim->facts->used;
	if (shim_options.bounded) {
		shim->process->flags |= TF_PROCESS_BOUNDED;
		if (!shim->process->max_bytes) {
			shim->process->max_bytes = BOUNDED_DEFAULT_BYTES;
		}
	}
}

bool facts_are_wanted(void)
{
	return shim->facts && shim->process->flags & TF_PROCESS_BOUNDED;
}

uint64_t facts_count_order(void)
{
	return atomic_load_explicit(&shim->facts->order, memory_order_relaxed);
}

/* ---- the stream ---- */

static void begin_chunk(struct facts *w)
{
	struct tf_segment *g = w->segment;

	g->base_ticks = w->last_ticks = arch_ticks();
	g->base_mono_ns = region_mono_ns();
	w->cursor = (uint8_t *)g + TF_SEGMENT_HEADER_BYTES;
	w->last_object = w->of = 0;
}

static bool open_stream(struct facts *w)
{
	uint32_t index;

	spin_lock(&shim->thread_lock);
	index = shim->stream_count < 65535 ? ++shim->stream_count : 0;
	spin_unlock(&shim->thread_lock);
	w->segment = index ? region_new_segment() : NULL;
	if (!w->segment) {
		return false;
	}
	w->segment->stream = index;
	shim->process->facts_stream = index;
	begin_chunk(w);
	__atomic_store_n(&w->segment->kind, TF_SEGMENT_STREAM, __ATOMIC_RELEASE);
	return true;
}

/* The chunk goes to the file, if all files together stay within the limit. */
static bool seal(struct facts *w)
{
	const struct tf_process *p = shim->process;
	struct tf_segment *g = w->segment;
	uint64_t bytes = TF_HEADER_BYTES + (uint64_t)p->segments * TF_SEGMENT_BYTES +
			 p->written_bytes + TF_SEGMENT_HEADER_BYTES + g->committed;

	if ((p->max_bytes && bytes > p->max_bytes) || !region_write(g)) {
		w->full = true; /* this chunk stays in the map */
		return false;
	}
	__atomic_store_n(&g->committed, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&g->chunk, g->chunk + 1, __ATOMIC_RELEASE);
	begin_chunk(w);
	return true;
}

/* Under the lock. False: there is no room. */
bool facts_make_room(struct facts *w, size_t records)
{
	size_t bytes = records * FACT_BYTES;

	if (w->full || (!w->segment && !open_stream(w))) {
		return false;
	}
	return (size_t)((uint8_t *)w->segment + TF_SEGMENT_BYTES - w->cursor) >= bytes || seal(w);
}

static uint64_t field(const struct fact *f, char letter)
{
	switch (letter) {
	case 'O':
		return f->object;
	case 'P':
		return f->other;
	case 'S':
		return f->stack;
	case 'A':
		return f->a;
	default:
		return f->r;
	}
}

void facts_put(struct facts *w, const struct fact *f, uint64_t ticks)
{
	const char *letters = fields_of[f->op % TF_OPS];
	bool same = letters[0] == 'O' && w->last_object == f->object;
	uint8_t *p = w->cursor;

	*p++ = (uint8_t)(f->op | (same ? TF_REC_SAME_OBJECT : 0));
	p = encode_varint(p, ticks > w->last_ticks ? ticks - w->last_ticks : 0);
	w->last_ticks = ticks > w->last_ticks ? ticks : w->last_ticks;
	for (; *letters; letters++) {
		if (*letters == ' ' || (*letters == 'O' && same)) {
			continue;
		}
		if (*letters == 'O') {
			w->last_object = f->object;
		}
		p = encode_varint(p, field(f, *letters));
	}
	w->cursor = p;
	w->segment->events++;
}

static void commit(struct facts *w)
{
	__atomic_store_n(&w->segment->committed,
			 (uint32_t)(w->cursor - ((uint8_t *)w->segment + TF_SEGMENT_HEADER_BYTES)),
			 __ATOMIC_RELEASE);
}

/* ---- pins ---- */

static void pin(uint32_t object)
{
	struct story *t = object && object < BY_ID ? shim->by_id[object] : NULL;

	if (t) {
		t->pinned = 1;
	}
}

static void pin_thread(struct facts *w, uint64_t thread)
{
	if (thread < FACT_THREADS) {
		w->thread[thread].pinned = 1;
	}
}

void facts_pin(const struct fact *f)
{
	pin(f->object);
	if (f->op != TRACE_REQUEST) {
		pin(f->other);
	}
}

/* ---- groups ---- */

void facts_put_of(struct facts *w, uint32_t thread, uint64_t ticks)
{
	if (w->of != thread) {
		facts_put(w, &(struct fact){ .op = TRACE_OF, .a = thread }, ticks);
		w->of = thread;
		pin_thread(w, thread);
	}
}

static void put_end(struct facts *w, uint32_t thread, uint64_t ticks)
{
	facts_put_of(w, thread, ticks);
	facts_put(w, &(struct fact){ .op = TRACE_KEYFRAME }, ticks);
}

void facts_put_held(struct facts *w, const struct fact *held, uint32_t count, uint64_t ticks)
{
	if (!count) {
		return;
	}
	facts_put(w, &(struct fact){ .op = TRACE_KEYFRAME, .a = count }, ticks);
	for (uint32_t i = 0; i < count; i++) {
		facts_pin(&held[i]);
		facts_put(w, &held[i], ticks);
	}
}

/* How long ago, in microseconds. */
static uint64_t age_us(uint64_t since)
{
	uint64_t age = arch_ticks() - since;

	return !since || (int64_t)age < 0 ? 0 : region_ticks_us(age);
}

static bool is_private(const struct stream *s, uint32_t object)
{
	const struct story *t = object < BY_ID ? shim->by_id[object] : NULL;

	return t && t->def && t->def->def.flags & TF_OBJECT_INIT && !t->shared &&
	       t->birth_thread == s->thread && t->birth_epoch == s->bounded->epoch;
}

uint32_t facts_list_held(const struct stream *s, struct fact *ret_held)
{
	uint32_t count = 0, held = s->bounded ? s->bounded->count : 0;

	/* Of another thread this may be a moment old. */
	for (uint32_t i = 0; i < held && i < HOLDS; i++) {
		struct hold h = s->bounded->holds[i];
		uint32_t k = 0;

		while (k < count && ret_held[k].object != h.object) {
			k++;
		}
		if (k < count) {
			ret_held[k].a += 1u << TRACE_HOLD_DEPTH_SHIFT;
			continue;
		}
		ret_held[count++] = (struct fact){
			.op = TRACE_HELD,
			.object = h.object,
			.stack = h.stack,
			.a = h.mode | (is_private(s, h.object) ? TRACE_HOLD_PRIVATE : 0),
			.r = encode_zigzag((int64_t)age_us(h.ticks)),
		};
	}
	return count;
}

/* ---- a fact ---- */

static bool keeps_state(unsigned op)
{
	return op < TRACE_ONCE_PASS && op != TRACE_THREAD_BEGIN && op != TRACE_THREAD_END;
}

static bool names_thread(const struct fact *f)
{
	switch (f->op) {
	case TRACE_CREATE:
	case TRACE_CREATE_FAILED:
	case TRACE_JOIN:
	case TRACE_DETACH:
	case TRACE_CANCEL:
	case TRACE_NAME:
	case TRACE_RELEASE_ODD:
	case TRACE_HAND_OVER:
		return true;
	default: /* of no other thread */
		return false;
	}
}

void facts_tell(struct stream *s, const struct fact *f, unsigned context)
{
	struct facts *w = shim->facts;
	struct witnesses told = { .count = 0 };
	struct fact *held = s->bounded->told;
	uint64_t ticks = s->last_ticks;
	uint64_t from = context & FACT_STRETCH ? s->bounded->turn_ticks : ticks;
	uint32_t count = facts_list_held(s, held);

	facts_pin(f);
	spin_lock(&w->lock);
	if (!facts_make_room(w, HOLDS + 16)) {
		spin_unlock(&w->lock);
		__atomic_fetch_add(&shim->process->lost_facts, 1, __ATOMIC_RELAXED);
		return;
	}
	if (context & ~(unsigned)(FACT_ORDER | FACT_STAYS | FACT_STRETCH | FACT_BUSY)) {
		facts_put_before(w, f, ticks, context, &told);
	}
	if (facts_make_room(w, count + 8)) {
		facts_put_of(w, s->thread, from);
		if (s->bounded->told_mask != s->signal_mask) {
			s->bounded->told_mask = s->signal_mask;
			facts_put(w, &(struct fact){ .op = TRACE_SIGNAL_MASK, .a = s->signal_mask },
				  ticks);
		}
		facts_put_held(w, held, count, from);
		if (context & FACT_STRETCH &&
		    !count) { /* nothing that was told before is part of it */
			facts_put(w, &(struct fact){ .op = TRACE_KEYFRAME }, from);
		}
		if (context & FACT_BUSY && s->bounded->busy_us) {
			facts_put(w,
				  &(struct fact){ .op = TRACE_BUSY,
						  .a = s->bounded->busy_us,
						  .r = s->bounded->busy_result },
				  ticks);
			s->bounded->busy_us = 0;
		}
		facts_put(w, f, ticks);
		if (names_thread(f)) {
			pin_thread(w, f->a);
		}
		if (!(context & FACT_STAYS) && (count || keeps_state(f->op))) {
			put_end(w, s->thread, ticks);
		}
	}
	for (uint32_t i = 0; i < told.count && facts_make_room(w, 4); i++) {
		put_end(w, told.thread[i], ticks);
	}
	commit(w);
	spin_unlock(&w->lock);
	if (context & FACT_ORDER) {
		atomic_fetch_add_explicit(&w->order, 1, memory_order_relaxed);
	}
}

void facts_from_fields(struct fact *f, unsigned op, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t value[] = { a, b, c };
	unsigned n = 0;

	*f = (struct fact){ .op = op };
	for (const char *l = fields_of[op % TF_OPS]; *l && n < 3; l++) {
		switch (*l) {
		case 'S':
			f->stack = (uint32_t)value[n++];
			break;
		case 'A':
			f->a = value[n++];
			break;
		case 'R':
			f->r = value[n++];
			break;
		default: /* a blank */
			break;
		}
	}
}
