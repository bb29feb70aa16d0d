/* SPDX-License-Identifier: MIT */
/*
 * shim_facts.c - the table of keys, the stream of facts, and the ids that are given out again.
 */
#include "shim_facts.h"

#include "shim_emit.h"

enum {
	PROBES = 32,
	KEYS_LIMIT = (1 << FACT_KEY_BITS) / 4 * 3,
	FACT_BYTES = 64,   /* at most, of one record */
	THREADS = 1 << 19, /* that may churn; more are not told apart */
	USED_THREADS = 1024,
	USED_IDS = 64, /* wait before they are given out again */
};

struct known_thread {
	struct tf_def_thread *def; /* in the map; NULL = did not fit */
	uint64_t birth;		   /* its place among all that were made */
	uint8_t churns, pinned, detached;
};

struct facts {
	/* The stream, under `lock`. */
	spin_t lock;
	struct tf_segment *segment;
	uint8_t *cursor;
	uint64_t last_ticks;
	uint32_t last_object, of;
	bool full;
	_Atomic uint64_t order;
	struct fact held[HOLDS]; /* scratch, of another thread */

	/* Ids to be given out again, under `used_lock`. */
	spin_t used_lock;
	struct story *used, **used_end;
	uint32_t used_count;

	_Atomic uint32_t keys;
	/* By class: objects of it that are gone, threads of it that were made. */
	_Atomic uint32_t objects_gone[1 << CLASS_BITS], threads_made[1 << CLASS_BITS];
	/* By id. */
	struct known_thread thread[THREADS];
	_Atomic uint64_t births;
	uint32_t used_threads[USED_THREADS], used_threads_begin, used_threads_end;
	_Atomic uint64_t key[1 << FACT_KEY_BITS];
};

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

/* ---- keys ---- */

static void count_lost(void)
{
	__atomic_fetch_add(&shim->process->lost_facts, 1, __ATOMIC_RELAXED);
}

bool facts_are_full(struct stream *s)
{
	struct facts *w = shim->facts;

	if (w->full || atomic_load_explicit(&w->keys, memory_order_relaxed) > KEYS_LIMIT) {
		if (++s->bounded->lost % 256 == 0) {
			__atomic_fetch_add(&shim->process->lost_facts, 256, __ATOMIC_RELAXED);
		}
		return true;
	}
	return false;
}

bool facts_is_new(uint64_t key)
{
	struct facts *w = shim->facts;
	uint64_t at = (key * 0x9e3779b97f4a7c15u) >> (64 - FACT_KEY_BITS);

	key += !key;
	for (unsigned i = 0; i < PROBES; i++) {
		_Atomic uint64_t *slot = &w->key[(at + i) % (1 << FACT_KEY_BITS)];
		uint64_t found = atomic_load_explicit(slot, memory_order_relaxed);

		if (found == key) {
			return false;
		}
		if (found) {
			continue;
		}
		if (w->full || atomic_load_explicit(&w->keys, memory_order_relaxed) > KEYS_LIMIT) {
			break;
		}
		if (atomic_compare_exchange_strong(slot, &found, key)) {
			atomic_fetch_add_explicit(&w->keys, 1, memory_order_relaxed);
			return true;
		}
		if (found == key) {
			return false;
		}
	}
	count_lost(); /* the old ones stay */
	return false;
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
static bool make_room(struct facts *w, size_t records)
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

static void put(struct facts *w, const struct fact *f, uint64_t ticks)
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
	if (thread < THREADS) {
		w->thread[thread].pinned = 1;
	}
}

static void pin_fact(const struct fact *f)
{
	pin(f->object);
	if (f->op != TRACE_REQUEST) {
		pin(f->other);
	}
}

/* ---- groups ---- */

static void put_of(struct facts *w, uint32_t thread, uint64_t ticks)
{
	if (w->of != thread) {
		put(w, &(struct fact){ .op = TRACE_OF, .a = thread }, ticks);
		w->of = thread;
		pin_thread(w, thread);
	}
}

static void put_end(struct facts *w, uint32_t thread, uint64_t ticks)
{
	put_of(w, thread, ticks);
	put(w, &(struct fact){ .op = TRACE_KEYFRAME }, ticks);
}

static void put_held(struct facts *w, const struct fact *held, uint32_t count, uint64_t ticks)
{
	if (!count) {
		return;
	}
	put(w, &(struct fact){ .op = TRACE_KEYFRAME, .a = count }, ticks);
	for (uint32_t i = 0; i < count; i++) {
		pin_fact(&held[i]);
		put(w, &held[i], ticks);
	}
}

/* How long ago, in microseconds. */
static uint64_t age_us(uint64_t since)
{
	const struct tf_process *p = shim->process;
	uint64_t ticks = p->last_ticks - p->start_ticks, ns = p->last_mono_ns - p->start_mono_ns;
	uint64_t age = arch_ticks() - since;

	if (!since || (int64_t)age < 0) {
		return 0;
	}
	if (ticks < 1u << 20) { /* too early to know the clock: one at 2.5 GHz */
		ticks = 156;
		ns = 1000;
	}
	age = (uint64_t)((double)age * (double)ns / (double)ticks / 1000);
	return age < INT32_MAX ? age : INT32_MAX;
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

static bool keeps_state(unsigned op)
{
	return op < TRACE_ONCE_PASS && op != TRACE_THREAD_BEGIN && op != TRACE_THREAD_END;
}

/* The stream of a thread, NULL = it is over. */
static struct stream *stream_of(uint32_t thread)
{
	for (uint32_t i = 1; i <= shim->stream_count; i++) {
		if (shim->streams[i] && shim->streams[i]->thread == thread) {
			return shim->streams[i];
		}
	}
	return NULL;
}

/* Everybody who has something to do with it; false when there is no room. */
static void put_owner(struct facts *w, const struct fact *f, uint64_t ticks, uint32_t *ret_owner)
{
	const struct story *t = f->object < BY_ID ? shim->by_id[f->object] : NULL;
	uint32_t owner = f->op == TRACE_RELEASE_ODD ? (uint32_t)f->a : 0;
	struct fact *held = w->held;
	struct stream *s;
	uint32_t count;

	if (!owner && t && t->object) {
		owner = atomic_load_explicit(&t->object->owner, memory_order_relaxed);
	}
	s = owner && owner != UINT32_MAX ? stream_of(owner) : NULL;
	count = s && s != shim_stream ? facts_list_held(s, held) : 0;
	for (uint32_t i = 0; i < count; i++) {
		if (held[i].object == f->object && make_room(w, 8)) {
			put_of(w, owner, ticks);
			put_held(w, &held[i], 1, ticks);
			*ret_owner = owner;
		}
	}
}

static void put_waiter(struct facts *w, const struct stream *s, const struct trace_wait *wait,
		       uint64_t ticks)
{
	struct fact f = {
		.op = TRACE_REQUEST, .object = wait->object, .stack = wait->stack, .a = wait->mode
	};

	if (wait->kind == TRACE_WAIT_COND) {
		f.op = TRACE_COND_WAIT;
		f.other = wait->other;
	} else if (wait->kind == TRACE_WAIT_BARRIER) {
		f.op = TRACE_BARRIER_ARRIVE;
	}
	pin_fact(&f);
	put_of(w, s->thread, ticks);
	put(w, &f, ticks);
}

enum { WITNESSES = 64 };
struct witnesses {
	uint32_t thread[WITNESSES];
	uint32_t count;
};

/* Waiters for the object, or all that hold something. */
static void put_others(struct facts *w, const struct fact *f, uint64_t ticks, unsigned context,
		       struct witnesses *ret_told)
{
	for (uint32_t i = 1; i <= shim->stream_count && ret_told->count < WITNESSES; i++) {
		const struct stream *s = shim->streams[i];
		struct fact *held = w->held;
		struct trace_wait wait;
		uint32_t count = 0;

		if (!s || !s->thread || s == shim_stream || !make_room(w, HOLDS + 8)) {
			continue;
		}
		wait = s->segment->wait;
		if (context & FACT_EVERYBODY) {
			count = facts_list_held(s, held);
		}
		if (count) {
			put_of(w, s->thread, ticks);
			put_held(w, held, count, ticks);
		} else if (context & FACT_WAITERS && wait.kind && wait.object == f->object) {
			put_waiter(w, s, &wait, ticks);
		} else {
			continue;
		}
		ret_told->thread[ret_told->count++] = s->thread;
	}
}

static void put_before(struct facts *w, const struct fact *f, uint64_t ticks, unsigned context,
		       struct witnesses *told)
{
	const struct story *t = f->object < BY_ID ? shim->by_id[f->object] : NULL;
	uint32_t owner = 0;

	if (context & FACT_OWNER) {
		put_owner(w, f, ticks, &owner);
	}
	if (owner) {
		told->thread[told->count++] = owner;
	}
	if (context & (FACT_WAITERS | FACT_EVERYBODY)) {
		put_others(w, f, ticks, context, told);
	}
	if (context & FACT_DESTROYED && t && t->destroy_thread && make_room(w, 8)) {
		put_of(w, t->destroy_thread, ticks);
		put(w,
		    &(struct fact){
			    .op = TRACE_DESTROY, .object = f->object, .stack = t->destroy_stack },
		    ticks);
	}
	if (context & FACT_KEPT_WAITING && t && make_room(w, 8)) {
		put_of(w, t->request_thread, ticks);
		put(w,
		    &(struct fact){ .op = TRACE_REQUEST,
				    .object = f->object,
				    .other = shim_stream->thread,
				    .stack = t->request_stack },
		    ticks);
		told->thread[told->count++] = t->request_thread;
	}
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
	uint32_t count = facts_list_held(s, held);

	pin_fact(f);
	spin_lock(&w->lock);
	if (!make_room(w, HOLDS + 16)) {
		spin_unlock(&w->lock);
		count_lost();
		return;
	}
	if (context & ~(unsigned)(FACT_ORDER | FACT_STAYS)) {
		put_before(w, f, ticks, context, &told);
	}
	if (make_room(w, count + 8)) {
		put_of(w, s->thread, ticks);
		if (s->bounded->told_mask != s->signal_mask) {
			s->bounded->told_mask = s->signal_mask;
			put(w, &(struct fact){ .op = TRACE_SIGNAL_MASK, .a = s->signal_mask },
			    ticks);
		}
		put_held(w, held, count, ticks);
		put(w, f, ticks);
		if (names_thread(f)) {
			pin_thread(w, f->a);
		}
		if (!(context & FACT_STAYS) && (count || keeps_state(f->op))) {
			put_end(w, s->thread, ticks);
		}
	}
	for (uint32_t i = 0; i < told.count && make_room(w, 4); i++) {
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

/* ---- ids ---- */

static uint32_t class_of(uint32_t stack)
{
	return (stack * 0x9e3779b1u) >> (32 - CLASS_BITS);
}

/* An id of a thread that was one of many and that no fact names; 0 = none. */
static uint32_t take_used_thread(struct facts *w)
{
	uint32_t id = 0;

	spin_lock(&w->used_lock);
	if (w->used_threads_end - w->used_threads_begin > USED_IDS) {
		id = w->used_threads[w->used_threads_begin++ % USED_THREADS];
	}
	spin_unlock(&w->used_lock);
	return id && !w->thread[id].pinned ? id : 0;
}

static bool is_one_of_many(struct facts *w, uint32_t stack)
{
	return stack && atomic_fetch_add(&w->threads_made[class_of(stack)], 1) >= CHURN_THREADS;
}

uint32_t bounded_thread_define(struct tf_def_thread *def)
{
	struct facts *w = shim->facts;
	bool churns = w && is_one_of_many(w, def->stack);
	struct tf_def_thread *at;

	def->thread = churns && facts_are_wanted() ? take_used_thread(w) : 0;
	if (def->thread) {
		struct known_thread *t = &w->thread[def->thread];

		t->birth = atomic_fetch_add(&w->births, 1) + 1;
		t->detached = def->flags & TF_THREAD_DETACHED ? 1 : 0;
		def->def.bytes = t->def->def.bytes;
		def->def.flags = TF_THREAD_AGAIN;
		*t->def = *def;
		return def->thread;
	}
	def->thread = atomic_fetch_add(&shim->next_thread, 1) + 1;
	shim->process->threads = def->thread;
	at = region_define(&def->def, sizeof(*def), NULL, 0, NULL, 0);
	if (w && def->thread < THREADS) {
		w->thread[def->thread] =
			(struct known_thread){ .def = at,
					       .birth = atomic_fetch_add(&w->births, 1) + 1,
					       .churns = churns,
					       .detached = def->flags & TF_THREAD_DETACHED ? 1
											   : 0 };
	}
	return def->thread;
}

void facts_thread_detached(uint32_t thread)
{
	if (thread < THREADS) {
		shim->facts->thread[thread].detached = 1;
	}
}

void bounded_thread_over(uint32_t thread, bool joined)
{
	struct facts *w = shim->facts;
	struct known_thread *t = w && thread < THREADS ? &w->thread[thread] : NULL;

	if (!t || !t->churns || t->pinned || !t->def || !(joined || t->detached)) {
		return;
	}
	spin_lock(&w->used_lock);
	if (w->used_threads_end - w->used_threads_begin < USED_THREADS) {
		w->used_threads[w->used_threads_end++ % USED_THREADS] = thread;
	}
	spin_unlock(&w->used_lock);
}

bool bounded_thread_is_newer(uint32_t a, uint32_t b)
{
	const struct facts *w = shim->facts;

	return w && a < THREADS && b < THREADS ? w->thread[a].birth > w->thread[b].birth : a > b;
}

bool facts_thread_churns(uint32_t thread)
{
	const struct known_thread *t = thread < THREADS ? &shim->facts->thread[thread] : NULL;

	return !t || (t->churns && !t->pinned);
}

static struct story *story_new(void)
{
	struct facts *w = shim->facts;
	struct story *t = NULL;

	spin_lock(&w->used_lock);
	if (w->used_count > USED_IDS) {
		t = w->used;
		w->used = t->next;
		w->used_count--;
	}
	spin_unlock(&w->used_lock);
	if (t && t->pinned) {
		t = NULL; /* a fact named it at the last moment */
	}
	if (t) {
		struct story fresh = { .id = t->id, .def = t->def, .live = t->live };

		*t = fresh;
		return t;
	}
	t = shim_alloc(sizeof(*t));
	if (t) {
		*t = (struct story){ .id = atomic_fetch_add(&shim->next_object, 1) + 1 };
	}
	return t;
}

void bounded_object_born(struct stream *s, struct object *o, uint32_t stack)
{
	struct story *t = shim->facts ? story_new() : NULL;

	o->story = t;
	if (!t) {
		o->id = atomic_fetch_add(&shim->next_object, 1) + 1;
		return;
	}
	o->id = t->id;
	t->object = o;
	t->birth_thread = s->thread;
	t->birth_epoch = s->bounded ? s->bounded->epoch : 0;
	t->birth_stack = stack;
	t->churns = atomic_load_explicit(&shim->facts->objects_gone[class_of(stack)],
					 memory_order_relaxed) > CHURN_OBJECTS;
	if (t->id < BY_ID) {
		__atomic_store_n(&shim->by_id[t->id], t, __ATOMIC_RELEASE);
	}
}

void bounded_object_gone(struct object *o)
{
	struct facts *w = shim->facts;
	struct story *t = o->story;

	o->story = NULL;
	if (!t || t->object != o) {
		return;
	}
	t->gone = 1;
	t->object = NULL;
	atomic_fetch_add_explicit(&w->objects_gone[class_of(t->birth_stack)], 1,
				  memory_order_relaxed);
	if (t->pinned || t->extra_defs || t->id >= BY_ID || !facts_are_wanted()) {
		return;
	}
	spin_lock(&w->used_lock);
	t->next = NULL;
	if (!w->used_count) {
		w->used_end = &w->used;
	}
	*w->used_end = t;
	w->used_end = &t->next;
	w->used_count++;
	spin_unlock(&w->used_lock);
}

void bounded_object_define(struct object *o, struct tf_def_object *def)
{
	struct tf_object_live live = { .value = (int64_t)(def->attributes % TF_COUNT_SHARED) };
	struct story *t = o->story;

	if (!t || !t->def) {
		void *at = region_define(&def->def, sizeof(*def), &live, t ? sizeof(live) : 0, NULL,
					 0);

		if (t && at) {
			t->def = at;
			t->live = (void *)(t->def + 1);
		}
		return;
	}
	/* A reader at this very moment finds an object of no kind. */
	def->def.bytes = t->def->def.bytes;
	def->def.flags = TF_OBJECT_AGAIN;
	__atomic_store_n(&t->def->kind, 0, __ATOMIC_RELEASE);
	*t->live = live;
	uint32_t kind = def->kind;

	def->kind = 0;
	*t->def = *def;
	__atomic_store_n(&t->def->kind, kind, __ATOMIC_RELEASE);
}

void bounded_defined(const struct tf_def *def)
{
	uint32_t objects[2] = { 0 };

	if (def->type == TF_DEF_IDENTITY || def->type == TF_DEF_OBJECT_NAME ||
	    def->type == TF_DEF_OWNER || def->type == TF_DEF_ORDER) {
		/* The object's number comes first in all of them; ORDER has two. */
		objects[0] = ((const uint32_t *)(const void *)(def + 1))[0];
	}
	if (def->type == TF_DEF_ORDER) {
		objects[1] = ((const uint32_t *)(const void *)(def + 1))[1];
	}
	for (unsigned i = 0; i < 2; i++) {
		struct story *t = objects[i] < BY_ID ? shim->by_id[objects[i]] : NULL;

		if (t) {
			t->extra_defs = 1;
		}
	}
}

void bounded_object_met(struct stream *s, const struct object *o)
{
	struct story *t = o->story;

	if (!t || !s->bounded) {
		return;
	}
	if (t->birth_thread != s->thread) {
		t->shared = 1;
	}
	if (t->destroy_thread) {
		s->bounded->salt ^= 2; /* the next acquire is looked at */
	}
}
