/* SPDX-License-Identifier: MIT */
/*
 * shim_task.c - the table of tasks, and their records.
 *
 * Unlike all else of ours, the table outlives a fork: a child goes on with the loops of its parent, and the libraries hold
 * our trampolines. So it lies in ordinary memory, and an entry says in which image it was announced last. Look-ups take
 * no lock: one that found nothing while something was unlinked looks again.
 */
#include "shim_task.h"

#include "shim_task_lock.h"
#include "shim_task_slot.h"

#include <sys/mman.h>

enum {
	BUCKETS = 1 << 16,
	LOCKS = 64,
	CHUNK_BYTES = 256 << 10,
};

static struct task *buckets[BUCKETS];
/* A bit for each bucket that may hold one: whoever looks at all tasks need not look at all buckets. */
static _Atomic uint64_t occupied[BUCKETS / 64];
static spin_t locks[LOCKS], pool_lock;
static _Atomic uint32_t changes;
static struct task *free_tasks;
static uint8_t *chunk, *chunk_end;
static uint32_t image; /* of this process: the task ids of its parent mean nothing here */

void task_new_image(void)
{
	__builtin_memset(locks, 0, sizeof(locks));
	pool_lock = 0;
	image++;
}

/* Calls that take any handle, or any watcher, do not say its kind. */
static unsigned space_of(unsigned kind)
{
	static const uint8_t alike[256] = {
		[TRACE_TASK_UV_TIMER... TRACE_TASK_UV_FS_POLL] = TRACE_TASK_UV_TIMER,
		[TRACE_TASK_UV_WORK... TRACE_TASK_UV_RANDOM] = TRACE_TASK_UV_WORK,
		[TRACE_TASK_EVENT_EVENT... TRACE_TASK_EVENT_HTTP_CALLBACK] = TRACE_TASK_EVENT_EVENT,
		[TRACE_TASK_G_IDLE... TRACE_TASK_G_INVOKE] = TRACE_TASK_G_IDLE,
		[TRACE_TASK_EV_IO... TRACE_TASK_EV_CALLBACK] = TRACE_TASK_EV_IO,
		[TRACE_TASK_SD_SOURCE... TRACE_TASK_SD_FLOATING] = TRACE_TASK_SD_SOURCE,
	};
	unsigned space = alike[(uint8_t)kind];

	return space ? space : kind;
}

static uint32_t bucket_of(uintptr_t address, unsigned space)
{
	return (uint32_t)(((address >> 3) * 0x9e3779b97f4a7c15u + space * 0x2545f4914f6cdd1du) >>
			  48);
}

static struct task *walk(uint32_t bucket, uintptr_t address, unsigned space)
{
	struct task *t = __atomic_load_n(&buckets[bucket], __ATOMIC_ACQUIRE);

	while (t && (atomic_load_explicit(&t->address, memory_order_relaxed) != address ||
		     t->space != space)) {
		t = __atomic_load_n(&t->next, __ATOMIC_ACQUIRE);
	}
	return t;
}

struct task *task_find(const void *address, unsigned kind)
{
	unsigned space = space_of(kind);
	uint32_t bucket = bucket_of((uintptr_t)address, space), before;
	struct task *t;

	do {
		before = atomic_load_explicit(&changes, memory_order_acquire);
		t = walk(bucket, (uintptr_t)address, space);
	} while (!t && before != atomic_load_explicit(&changes, memory_order_acquire));
	return t;
}

bool task_is_of_image(const struct task *t)
{
	return t->image == image;
}

static bool chunk_new(void)
{
	long p = sys6(SYS_mmap, 0, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);

	if (p < 0 && p > -4096) {
		return false;
	}
	chunk = (uint8_t *)p;
	chunk_end = chunk + CHUNK_BYTES;
	return true;
}

static struct task *entry_new(void)
{
	struct task *t;

	spin_lock(&pool_lock);
	t = free_tasks;
	if (t) {
		free_tasks = t->next;
	} else if ((size_t)(chunk_end - chunk) >= sizeof(*t) || chunk_new()) {
		t = (struct task *)(void *)chunk;
		chunk += sizeof(*t);
	}
	spin_unlock(&pool_lock);
	return t;
}

static void entry_drop(struct task *t)
{
	uint32_t bucket = bucket_of(atomic_load(&t->address), t->space);
	struct task **link = &buckets[bucket];

	spin_lock(&locks[bucket % LOCKS]);
	while (*link && *link != t) {
		link = &(*link)->next;
	}
	if (*link) {
		__atomic_store_n(link, t->next, __ATOMIC_RELEASE);
		atomic_store(&t->address, 0);
		atomic_fetch_add(&changes, 1);
	}
	spin_unlock(&locks[bucket % LOCKS]);
	spin_lock(&pool_lock);
	t->next = free_tasks;
	free_tasks = t;
	spin_unlock(&pool_lock);
}

static void entry_link(struct task *t, uintptr_t address)
{
	uint32_t bucket = bucket_of(address, t->space);

	atomic_store_explicit(&t->address, address, memory_order_relaxed);
	spin_lock(&locks[bucket % LOCKS]);
	t->next = buckets[bucket];
	__atomic_store_n(&buckets[bucket], t, __ATOMIC_RELEASE);
	if (!(atomic_load_explicit(&occupied[bucket / 64], memory_order_relaxed) >> (bucket % 64) &
	      1)) {
		atomic_fetch_or(&occupied[bucket / 64], (uint64_t)1 << (bucket % 64));
	}
	spin_unlock(&locks[bucket % LOCKS]);
}

static bool is_empty_now(uint32_t bucket)
{
	bool empty;

	spin_lock(&locks[bucket % LOCKS]);
	empty = !buckets[bucket];
	if (empty) {
		atomic_fetch_and(&occupied[bucket / 64], ~((uint64_t)1 << (bucket % 64)));
	}
	spin_unlock(&locks[bucket % LOCKS]);
	return empty;
}

/* The first one from there on that holds a task; BUCKETS = none. */
static uint32_t next_bucket(uint32_t from)
{
	while (from < BUCKETS) {
		uint64_t left = atomic_load_explicit(&occupied[from / 64], memory_order_relaxed) >>
				(from % 64);

		if (!left) {
			from = (from / 64 + 1) * 64;
			continue;
		}
		from += (uint32_t)__builtin_ctzl(left);
		if (__atomic_load_n(&buckets[from], __ATOMIC_ACQUIRE) || !is_empty_now(from)) {
			return from;
		}
		from++;
	}
	return BUCKETS;
}

/* ---- entry ---- */

static void library_find(struct task_library *l, uintptr_t function)
{
	const struct module *m = module_find(function);

	l->end = m ? m->end : function + 1;
	l->start = m ? m->start : function;
}

/* A library calls its own functions by name, and a callback through a pointer: what that jumped to returns into the library as well. */
bool task_is_inner(uintptr_t ip, bool from_library)
{
	static struct task_library own;

	if (from_library) {
		return arch_is_call_by_name(ip);
	}
	if (unlikely(!own.start)) {
		library_find(&own, (uintptr_t)&task_is_inner);
	}
	return ip >= own.start && ip < own.end && !task_is_trampoline(ip) &&
	       !(ip >= (uintptr_t)__start_thrum_trampoline &&
		 ip < (uintptr_t)__stop_thrum_trampoline);
}

bool task_enter_any(struct call *c, struct arch_caller caller)
{
	if (!shim_enter_with(c, caller, ROOM_EARLY)) {
		return false;
	}
	c->stack = stack_id(c);
	return true;
}

bool task_enter(struct call *c, struct arch_caller caller, struct task_library *library,
		const void *real)
{
	uintptr_t function = (uintptr_t)real;

	if (!shim_enter_with(c, caller, ROOM_EARLY)) {
		return false;
	}
	if (unlikely(function < library->start || function >= library->end)) {
		library_find(library, function);
	}
	if (unlikely(task_is_inner(caller.ip,
				   caller.ip >= library->start && caller.ip < library->end))) {
		shim_leave(c);
		return false;
	}
	c->stack = stack_id(c);
	return true;
}

uint32_t task_loop(struct call *c, const void *address, unsigned kind)
{
	/* Off by one: what lies first in a loop may be a lock, which is another object. */
	struct object *o = address ? object_find(c, (const uint8_t *)address + 1, kind) : NULL;

	return o ? o->id : 0;
}

/* ---- records ---- */

/* In bounded mode its slot says so, in the place of a fact. */
static void emit_beside_facts(struct stream *s, unsigned op, uint32_t loop, uint32_t stack,
			      uint32_t task, int64_t r)
{
	struct bounded *facts = s->bounded;

	s->bounded = NULL;
	emit_osar(s, op, loop, stack, task, r);
	s->bounded = facts;
}

/* Gives it its number. */
static void emit_new(struct stream *s, struct task *t, uint32_t stack)
{
	bool slotted;

	t->id = task_slot_number(&slotted);
	if (slotted) {
		emit_beside_facts(s, TRACE_TASK_NEW, t->loop, stack, t->id, t->kind);
		task_slot_made(s, t->id, t->kind, t->loop, stack);
	} else {
		emit_osar(s, TRACE_TASK_NEW, t->loop, stack, t->id, t->kind);
	}
}

/* Says again in this image what a parent's image said. */
static void announce(struct stream *s, struct task *t)
{
	if (unlikely(t->image != image)) {
		t->image = image;
		t->loop = 0;
		__builtin_memset(t->callback_stack, 0, sizeof(t->callback_stack));
		emit_new(s, t, 0);
	}
}

static void emit_step(struct stream *s, const struct task *t, uint32_t stack, unsigned step)
{
	emit_plain(s, TRACE_TASK, 3, t->id, stack, encode_zigzag(step));
}

static void emit_end(struct stream *s, uint32_t task, uint32_t stack, enum trace_task_step step)
{
	emit_plain(s, TRACE_TASK, 3, task, stack, encode_zigzag(step));
	task_slot_over(s, task, step);
}

struct task *task_new(struct call *c, const void *address, unsigned kind, uint32_t loop)
{
	struct task *t = task_find(address, kind);

	if (t) {
		if (t->image == image && !(t->flags & TASK_OVER)) {
			emit_end(c->s, t->id, c->stack, TRACE_TASK_LOST);
		} else if (t->image == image) {
			task_slot_over(c->s, t->id, TRACE_TASK_FINISHED);
		}
		entry_drop(t);
	}
	return task_add(c, address, kind, loop);
}

struct task *task_add(struct call *c, const void *address, unsigned kind, uint32_t loop)
{
	struct task *t = entry_new();

	if (!t) {
		c->s->segment->lost++;
		return NULL;
	}
	*t = (struct task){ .loop = loop,
			    .kind = (uint8_t)kind,
			    .space = (uint8_t)space_of(kind),
			    .image = image };
	entry_link(t, (uintptr_t)address);
	emit_new(c->s, t, c->stack);
	return t;
}

struct task *task_touch(struct call *c, const void *address, unsigned kind, uint32_t loop)
{
	struct task *t = task_find(address, kind);

	return t ? t : task_new(c, address, kind, loop);
}

static uint32_t callback_stack(struct task *t, unsigned slot)
{
	if (!t->callback_stack[slot]) {
		uintptr_t ip =
			(uintptr_t)t->callback[slot] + 1; /* as a return address: inside it */
		const struct depot_entry *e = depot_intern(&ip, 1, 0);

		t->callback_stack[slot] = e ? e->id : 0;
	}
	return t->callback_stack[slot];
}

/* What is to be called, as far as it is known. */
static uint32_t next_callback(struct task *t)
{
	for (unsigned slot = 0; slot < TASK_CALLBACKS; slot++) {
		if (t->callback[slot]) {
			return callback_stack(t, slot);
		}
	}
	return 0;
}

void task_arm(struct call *c, struct task *t, uint32_t loop, bool once)
{
	int64_t callback;

	announce(c->s, t);
	if (loop) {
		t->loop = loop;
	}
	callback = (int64_t)next_callback(t) << 1 | once;
	if (unlikely(task_slot_is_there(t->id))) {
		emit_beside_facts(c->s, TRACE_TASK_ARM, t->loop, c->stack, t->id, callback);
		task_slot_armed(c->s, t->id, t->loop, c->stack, (uint32_t)callback);
	} else {
		emit_osar(c->s, TRACE_TASK_ARM, t->loop, c->stack, t->id, callback);
	}
}

void task_set_callback(struct task *t, unsigned slot, void *callback)
{
	if (t->callback[slot] != callback) {
		t->callback_stack[slot] = 0;
		__atomic_store_n(&t->callback[slot], callback, __ATOMIC_RELEASE);
	}
}

void task_set_callback_known(struct task *t, unsigned slot, void *callback, uint32_t *stack)
{
	task_set_callback(t, slot, callback);
	t->callback_stack[slot] = *stack;
	if (unlikely(!*stack)) {
		*stack = callback_stack(t, slot);
	}
}

void task_step(struct call *c, struct task *t, enum trace_task_step step)
{
	announce(c->s, t);
	emit_step(c->s, t, c->stack, step);
}

void task_end(struct call *c, struct task *t, enum trace_task_step step)
{
	task_step(c, t, step);
	task_lock_over(t->id);
	task_slot_over(c->s, t->id, step);
	entry_drop(t);
}

void task_end_at_return(struct call *c, struct task *t, enum trace_task_step step)
{
	announce(c->s, t);
	emit_plain_at(c->s, TRACE_TASK, c->s->last_ticks, 3, t->id, 0, encode_zigzag(step));
	task_lock_over(t->id);
	task_slot_over(c->s, t->id, step);
	entry_drop(t);
}

void task_end_all(struct call *c, unsigned kind, bool (*matches)(const struct task *, const void *),
		  const void *argument)
{
	unsigned space = space_of(kind);

	for (uint32_t i = next_bucket(0); i < BUCKETS; i = next_bucket(i + 1)) {
		struct task *t = __atomic_load_n(&buckets[i], __ATOMIC_ACQUIRE), *next;

		for (; t; t = next) {
			next = __atomic_load_n(&t->next, __ATOMIC_ACQUIRE);
			if (t->space == space && t->image == image && matches(t, argument)) {
				shim_leave(c); /* many records: each with room */
				shim_reenter(c);
				task_end(c, t, TRACE_TASK_FINISHED);
			}
		}
	}
}

void task_each(unsigned kind, void (*visit)(struct task *, void *), void *cookie)
{
	for (uint32_t b = next_bucket(0); b < BUCKETS; b = next_bucket(b + 1)) {
		struct task *t = __atomic_load_n(&buckets[b], __ATOMIC_ACQUIRE);

		for (; t; t = __atomic_load_n(&t->next, __ATOMIC_ACQUIRE)) {
			if (t->kind == kind && t->image == image) {
				visit(t, cookie);
			}
		}
	}
}

/* ---- tasks that end with their memory: few, and only when their loop was given up ---- */

uint32_t task_watched;

void task_watch_memory(uintptr_t address)
{
	__atomic_fetch_add(&task_watched, 1, __ATOMIC_RELAXED);
	object_note_page(address);
}

struct memory_range {
	uintptr_t start, end;
};

static bool lies_inside(const struct task *t, const void *argument)
{
	const struct memory_range *r = argument;
	uintptr_t address = atomic_load_explicit(&t->address, memory_order_relaxed);

	return address >= r->start && address < r->end && t->flags & TASK_ENDS_WITH_LOOP;
}

void task_memory_gone(struct call *c, uintptr_t start, size_t bytes)
{
	enum { MANY_BYTES = 1 << 16 };
	struct memory_range range = { start, start + bytes };

	if (bytes > MANY_BYTES) {
		task_end_all(c, TRACE_TASK_EV_IO, lies_inside, &range);
		return;
	}
	for (uintptr_t at = (start + 7) & ~(uintptr_t)7; at < start + bytes; at += 8) {
		struct task *t = task_find((const void *)at, TRACE_TASK_EV_IO);

		if (t && t->image == image && t->flags & TASK_ENDS_WITH_LOOP) {
			task_end(c, t, TRACE_TASK_FINISHED);
		}
	}
}

/* ---- callbacks ---- */

/*
 * A callback that a jump or an exception left never came back to its trampoline. What runs now at or above its frame shows that,
 * where both are on the thread's own stack: the stacks of fibers say nothing about each other.
 */
static bool is_left(const struct stream *s, const struct callback_level *l, uintptr_t sp)
{
	return (l->late && l->sp == sp) ||
	       (l->sp <= sp && l->sp >= s->stack_low && sp < s->stack_high);
}

static void pop_callback(struct stream *s)
{
	const struct callback_level *l = &s->callback[--s->callback_count];

	s->task = l->outer;
	if (l->late) {
		task_took_long(s, l->since);
	}
	emit_plain(s, TRACE_TASK, 3, l->task, 0, encode_zigzag(TRACE_TASK_RETURNED));
	if (l->over) {
		emit_end(s, l->task, 0, TRACE_TASK_FINISHED);
	}
}

void task_drop_left(struct stream *s, uintptr_t sp)
{
	while (s->callback_count && is_left(s, &s->callback[s->callback_count - 1], sp)) {
		pop_callback(s);
	}
}

void task_called_late(struct call *c, struct task *t, void *callback,
		      const struct task_library *library, bool inner, bool over)
{
	struct stream *s = c->s;

	announce(s, t);
	task_drop_left(s, c->caller.sp);
	if (s->callback_count < CALLBACK_LEVELS) {
		task_set_callback(t, 0, callback);
		emit_step(s, t, callback_stack(t, 0), TRACE_TASK_CALLED);
		s->callback[s->callback_count++] = (struct callback_level){ .task = t->id,
									    .outer = s->task,
									    .sp = c->caller.sp,
									    .late = library,
									    .since = s->last_ticks,
									    .depth = s->event_depth,
									    .inner = inner,
									    .over = over };
		s->task = t->id;
	} else if (over) {
		emit_end(s, t->id, 0, TRACE_TASK_FINISHED);
	}
	if (over) {
		entry_drop(t);
	}
}

void task_end_late(struct arch_caller caller)
{
	const struct callback_level *l = &shim_stream->callback[shim_stream->callback_count - 1];
	struct call call;

	/* Deeper: that loop runs inside the callback. */
	if (caller.ip >= l->late->start && caller.ip < l->late->end &&
	    l->depth == shim_stream->event_depth && shim_enter_with(&call, caller, ROOM_EARLY)) {
		pop_callback(call.s);
		shim_leave(&call);
	}
}

void task_end_late_above(struct stream *s, uint32_t level)
{
	while (s->callback_count > level && s->callback[s->callback_count - 1].late) {
		pop_callback(s);
	}
}

/* Inside a late one that is the library's own, the host's takes its place. */
static void drop_inner(struct stream *s)
{
	while (s->callback_count && s->callback[s->callback_count - 1].inner) {
		pop_callback(s);
	}
}

static void begin_callback(struct task_run *run, struct stream *s, uint32_t task, uintptr_t sp)
{
	run->s = s;
	run->task = task;
	run->outer = s->task;
	run->since = s->last_ticks;
	run->level = s->callback_count;
	if (s->callback_count < CALLBACK_LEVELS) {
		s->callback[s->callback_count++] =
			(struct callback_level){ .task = task, .outer = s->task, .sp = sp };
	}
	s->task = task;
}

bool task_called(struct task_run *ret_run, struct arch_caller caller, const void *address,
		 unsigned kind, unsigned slot, enum task_after after)
{
	struct task *t = task_find(address, kind);

	*ret_run = (struct task_run){ .after = after };
	return t && task_called_as(ret_run, caller, t, slot, after);
}

bool task_called_as(struct task_run *ret_run, struct arch_caller caller, struct task *t,
		    unsigned slot, enum task_after after)
{
	struct call call;

	*ret_run = (struct task_run){ .after = after };
	ret_run->callback = t->callback[slot];
	ret_run->argument = t->argument;
	if (!shim_enter_with(&call, caller, ROOM_EARLY)) {
		t->flags |= after == TASK_IS_OVER ? TASK_OVER : 0;
		return ret_run->callback != NULL;
	}
	announce(call.s, t);
	if (ret_run->callback) {
		task_drop_left(call.s, caller.sp);
		drop_inner(call.s);
		emit_step(call.s, t, callback_stack(t, slot), TRACE_TASK_CALLED);
		begin_callback(ret_run, call.s, t->id, caller.sp);
	} else if (after == TASK_IS_OVER) {
		emit_end(call.s, t->id, 0, TRACE_TASK_FINISHED);
	}
	if (after == TASK_IS_OVER) {
		entry_drop(
			t); /* before the host's code: it may free the memory, or use it for the next */
	}
	shim_leave(&call);
	return ret_run->callback != NULL;
}

bool task_returned_enter(struct call *c, struct task_run *run, struct arch_caller caller)
{
	uint64_t now;

	if (!run->s || run->s != shim_stream || !shim_enter_with(c, caller, ROOM_EARLY)) {
		return false;
	}
	c->stack = 0;
	c->s->task = run->outer;
	/* Those inside it that never came back are over as well. */
	if (c->s->callback_count > run->level) {
		c->s->callback_count = run->level;
	}
	now = run->until ? run->until : arch_ticks();
	if (unlikely((int64_t)(now - run->since) > TASK_BUSY_TICKS)) {
		task_took_long(c->s, run->since);
		now = arch_ticks();
	}
	emit_plain_at(c->s, TRACE_TASK, now, 3, run->task, run->stood,
		      encode_zigzag(run->after == TASK_HAS_WORKED ? TRACE_TASK_WORKED
								  : TRACE_TASK_RETURNED));
	return true;
}

void task_returned(struct task_run *run, struct arch_caller caller)
{
	struct call call;

	if (!task_returned_enter(&call, run, caller)) {
		return;
	}
	if (run->after == TASK_IS_OVER) {
		emit_end(call.s, run->task, 0, TRACE_TASK_FINISHED);
	}
	shim_leave(&call);
}
