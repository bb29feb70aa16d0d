/* SPDX-License-Identifier: MIT */
/*
 * wrap_annotate.c - what include/thrum.h says: names and orders of locks, hand-overs, locks of the program's own,
 * tasks and fibers, what is benign. Definitions and events; nothing here changes what the program does.
 *
 * A lock may be named before it was ever used: what kind it is we do not know then. Such words wait in a list
 * for the object that is made at their address, and are dropped when an object there ends. An order waits for
 * both of its locks.
 */
#include "wrap_thread.h"

enum {
	TRACE_OBJECT_OWN_MUTEX = TRACE_OBJECT_MUTEX | TF_LIBRARY_ANNOTATED << KIND_LIBRARY_SHIFT |
				 KIND_TYPE_UNKNOWN | KIND_ZERO_BORN,
	TRACE_OBJECT_OWN_RWLOCK = TRACE_OBJECT_RWLOCK | TF_LIBRARY_ANNOTATED << KIND_LIBRARY_SHIFT |
				  KIND_ZERO_BORN,
	NAME_BYTES = 255,
	GAVE_UP = 0x100,   /* bit of acquired's mode */
	OWN_FRAMES = 1024, /* of the stack: the frames that may call acquiring and acquired */
};

struct annotation {
	struct annotation *next;
	uintptr_t address, after; /* after: of an order the second lock, else 0 */
	uint32_t stack;
	uint16_t source; /* enum tf_name_source */
	uint16_t bytes;
	char name[];
};

struct lock_class {
	struct lock_class *next;
	uint32_t object; /* stands for all of the class in an order */
	uint32_t bytes;
	char name[];
};

static uint32_t bounded_bytes(const char *name)
{
	uint32_t bytes = 0;

	while (name && name[bytes] && bytes < NAME_BYTES) {
		bytes++;
	}
	return bytes;
}

static void define_name(uint32_t object, unsigned source, const char *name, uint32_t bytes)
{
	struct tf_def_object_name def = { .def.type = TF_DEF_OBJECT_NAME,
					  .object = object,
					  .source = (uint16_t)source,
					  .bytes = (uint16_t)bytes };

	region_define(&def.def, sizeof(def), name, bytes, "", 1);
}

static void define_order(uint32_t before, uint32_t after, uint32_t stack)
{
	struct tf_def_order def = {
		.def.type = TF_DEF_ORDER, .before = before, .after = after, .stack = stack
	};

	region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
}

/* ---- words that wait for their object; SLOW, under the annotation lock ---- */

static void wait_for_object(uintptr_t address, uintptr_t after, uint32_t stack, unsigned source,
			    const char *name, uint32_t bytes)
{
	struct annotation *n = shim_alloc(sizeof(*n) + bytes);

	if (!n) {
		return;
	}
	n->address = address;
	n->after = after;
	n->stack = stack;
	n->source = (uint16_t)source;
	n->bytes = (uint16_t)bytes;
	__builtin_memcpy(n->name, name, bytes);
	n->next = shim->annotations;
	__atomic_store_n(&shim->annotations, n, __ATOMIC_RELEASE);
}

void annotation_forget(uintptr_t address)
{
	spin_lock(&shim->annotation_lock);
	for (struct annotation **p = &shim->annotations; *p;) {
		if ((*p)->address == address || (*p)->after == address) {
			__atomic_store_n(p, (*p)->next, __ATOMIC_RELEASE);
		} else {
			p = &(*p)->next;
		}
	}
	spin_unlock(&shim->annotation_lock);
}

/* True: nothing is left to say. */
static bool say(const struct annotation *n, const struct object *o, uintptr_t address)
{
	const struct object *other;

	if (!n->after) {
		define_name(o->id, n->source, n->name, n->bytes);
		return true;
	}
	other = object_peek(n->address == address ? n->after : n->address);
	if (!other) {
		return false;
	}
	define_order(n->address == address ? o->id : other->id,
		     n->address == address ? other->id : o->id, n->stack);
	return true;
}

void annotation_meet(struct call *c, struct object *o)
{
	uintptr_t address = atomic_load(&o->address);

	(void)c;
	spin_lock(&shim->annotation_lock);
	for (struct annotation **p = &shim->annotations; *p;) {
		struct annotation *n = *p;

		if ((n->address == address || n->after == address) && say(n, o, address)) {
			__atomic_store_n(p, n->next, __ATOMIC_RELEASE);
		} else {
			p = &n->next;
		}
	}
	spin_unlock(&shim->annotation_lock);
}

/* ---- names and orders ---- */

static void name_lock(struct arch_caller caller, const void *lock, const char *name,
		      unsigned source)
{
	uint32_t bytes = bounded_bytes(name);
	struct object *o;
	struct call call;

	if (!lock || !bytes || !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	spin_lock(&shim->annotation_lock);
	o = object_peek((uintptr_t)lock);
	if (o) {
		define_name(o->id, source, name, bytes);
	} else {
		wait_for_object((uintptr_t)lock, 0, 0, source, name, bytes);
	}
	spin_unlock(&shim->annotation_lock);
	shim_leave(&call);
}

EXPORT void thrum__lock_name(const void *lock, const char *name)
{
	name_lock(ARCH_CALLER(), lock, name, TF_NAME_GIVEN);
}
EXPORT void thrum__lock_class(const void *lock, const char *name)
{
	name_lock(ARCH_CALLER(), lock, name, TF_NAME_CLASS);
}

EXPORT void thrum__lock_order(const void *before, const void *after)
{
	const struct object *first, *second;
	struct call call;

	if (!before || !after || before == after || !shim_enter(&call)) {
		return;
	}
	call.stack = stack_id(&call);
	spin_lock(&shim->annotation_lock);
	first = object_peek((uintptr_t)before);
	second = object_peek((uintptr_t)after);
	if (first && second) {
		define_order(first->id, second->id, call.stack);
	} else {
		wait_for_object((uintptr_t)before, (uintptr_t)after, call.stack, 0, "", 0);
	}
	spin_unlock(&shim->annotation_lock);
	shim_leave(&call);
}

/* The object that stands for the class, made when new; 0 = no memory. Under the annotation lock. */
static uint32_t class_object(struct call *c, const char *name)
{
	uint32_t bytes = bounded_bytes(name);
	struct tf_def_object def = { .def.type = TF_DEF_OBJECT,
				     .kind = TRACE_OBJECT_MUTEX,
				     .stack = c->stack,
				     .thread = c->s->thread,
				     .ticks = arch_ticks(),
				     .attributes = TF_LIBRARY_ANNOTATED << TF_LIBRARY_SHIFT };
	struct lock_class *k;

	for (k = shim->lock_classes; k; k = k->next) {
		if (k->bytes == bytes && !__builtin_memcmp(k->name, name, bytes)) {
			return k->object;
		}
	}
	k = bytes ? shim_alloc(sizeof(*k) + bytes) : NULL;
	if (!k) {
		return 0;
	}
	k->object = def.object = atomic_fetch_add(&shim->next_object, 1) + 1;
	k->bytes = bytes;
	__builtin_memcpy(k->name, name, bytes);
	k->next = shim->lock_classes;
	shim->lock_classes = k;
	shim->process->objects = def.object;
	region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
	define_name(k->object, TF_NAME_CLASS, name, bytes);
	return k->object;
}

EXPORT void thrum__class_order(const char *before, const char *after)
{
	uint32_t first, second;
	struct call call;

	if (!before || !after || !shim_enter(&call)) {
		return;
	}
	call.stack = stack_id(&call);
	spin_lock(&shim->annotation_lock);
	first = class_object(&call, before);
	second = class_object(&call, after);
	if (first && second && first != second) {
		define_order(first, second, call.stack);
	}
	spin_unlock(&shim->annotation_lock);
	shim_leave(&call);
}

/* ---- hand-over ---- */

EXPORT void thrum__lock_hand_over(const void *lock, uint64_t thread)
{
	struct object *o;
	struct call call;
	uint32_t to;

	if (!shim_enter(&call)) {
		return;
	}
	o = object_peek((uintptr_t)lock);
	to = thread ? thread_id_of(&call, thread) : 0;
	if (o) {
		call.stack = stack_id(&call);
		if (atomic_load_explicit(&o->owner, memory_order_relaxed) == call.s->thread) {
			call.s->held -= call.s->held != 0;
			atomic_store_explicit(&o->owner, to, memory_order_relaxed);
			o->flags |= to ? 0 : OBJECT_OWNER_UNKNOWN;
		} else if (read_held_remove(call.s, o)) {
			call.s->held -= call.s->held != 0;
			o->flags |= OBJECT_OWNER_UNKNOWN;
		}
		emit_osa_seq(call.s, TRACE_HAND_OVER, o->id, call.stack, to, 0);
	}
	shim_leave(&call);
}

/* ---- locks of the program's own ---- */

/* Of the two forms the one that was used before; a mutex until it is read-locked. */
static unsigned own_kind(const void *lock, uint32_t mode)
{
	const struct object *o = object_peek((uintptr_t)lock);

	return mode & TRACE_MODE_SHARED || (o && o->kind == TRACE_OBJECT_OWN_RWLOCK)
		       ? TRACE_OBJECT_OWN_RWLOCK
		       : TRACE_OBJECT_OWN_MUTEX;
}

EXPORT void thrum__lock_init(const void *lock, uint32_t recursive)
{
	struct call call;

	if (lock && shim_enter(&call)) {
		shim_leave(&call);
		init_after(&call, lock, TRACE_OBJECT_OWN_MUTEX,
			   TF_LIBRARY_ANNOTATED << TF_LIBRARY_SHIFT | (recursive ? 1 : 0), 0);
	}
}

EXPORT void thrum__lock_destroy(const void *lock)
{
	struct call call;

	if (lock && shim_enter(&call)) {
		destroy_after(&call, destroy_before(&call, lock, own_kind(lock, 0)), 0);
	}
}

/*
 * How the program waits, with a sleep, a futex or another lock, is part of the operation: muted until it has
 * the lock, or gives up, or the frames that could say so are gone.
 */
EXPORT void thrum__lock_acquiring(const void *lock, uint32_t mode)
{
	struct call call;

	if (!lock || !shim_enter(&call)) {
		return;
	}
	mode &= TRACE_MODE_SHARED | TRACE_MODE_TIMED;
	if (lock_before(&call, own_kind(lock, mode), lock, mode)) {
		shim_mute(&call);
		call.s->muted_ip = 0;
		call.s->busy_sp = call.caller.sp + OWN_FRAMES;
	}
}

/* Is this thread inside acquiring of this lock? */
static bool is_acquiring(const struct stream *s, const void *lock)
{
	const struct object *o;

	if (!s || !s->segment || s->segment->wait.kind != TRACE_WAIT_LOCK) {
		return false;
	}
	o = object_peek((uintptr_t)lock);
	return o && s->segment->wait.object == o->id;
}

EXPORT void thrum__lock_acquired(const void *lock, uint32_t mode)
{
	unsigned kind, plain = mode & (TRACE_MODE_SHARED | TRACE_MODE_TRY | TRACE_MODE_TIMED);
	bool waited = lock && is_acquiring(shim_stream, lock);
	struct call call;

	if (waited && shim_stream->busy == BUSY_MUTED) {
		shim_stream->busy = BUSY_NOT;
	}
	if (!lock || !shim_enter(&call)) {
		return;
	}
	kind = own_kind(lock, mode);
	call.stack = stack_id(&call);
	call.object = object_find(&call, lock, kind);
	if (!call.object) {
		shim_leave(&call);
		return;
	}
	call.object_id = call.object->id;
	if (waited) {
		wait_clear(&call);
	}
	if (mode & GAVE_UP) {
		emit_osar(call.s, TRACE_ACQUIRE_FAIL, call.object_id, call.stack, plain,
			  plain & TRACE_MODE_TIMED ? ETIMEDOUT : EBUSY);
	} else {
		lock_acquired(&call, kind, plain, 0);
	}
	shim_leave(&call);
}

EXPORT void thrum__lock_releasing(const void *lock)
{
	struct object *o;
	struct call call;
	unsigned kind;

	if (!lock || !shim_enter(&call)) {
		return;
	}
	kind = own_kind(lock, 0);
	o = unlock_find(&call, lock, kind);
	if (o && (o->flags & OBJECT_DESTROYED || !unlock_owned(&call, o, kind))) {
		call.stack = stack_id(&call);
		emit_osar(call.s, TRACE_RELEASE_ODD, o->id, call.stack, odd_owner(o), 0);
		atomic_store_explicit(&o->owner, 0, memory_order_relaxed);
		o->depth = 0;
		o->flags &= (uint16_t)~OBJECT_OWNER_UNKNOWN;
	}
	shim_leave(&call);
}

/* ---- tasks and fibers ---- */

EXPORT uint32_t thrum__task_create(const char *name, uint64_t correlation)
{
	struct tf_def_task def = { .def.type = TF_DEF_TASK,
				   .correlation = correlation,
				   .bytes = bounded_bytes(name) };
	struct call call;

	if (!shim_enter(&call)) {
		return 0;
	}
	call.stack = stack_id(&call);
	def.task = atomic_fetch_add(&shim->next_task, 1) + 1;
	def.parent = call.s->task;
	def.thread = call.s->thread;
	def.stack = call.stack;
	def.ticks = arch_ticks();
	region_define(&def.def, sizeof(def), name, def.bytes, "", 1);
	emit_plain(call.s, TRACE_TASK, 3, def.task, call.stack, encode_zigzag(TRACE_TASK_CREATED));
	shim_leave(&call);
	return def.task;
}

static void step(struct call *c, uint32_t task, uint32_t to)
{
	if (to == TRACE_TASK_STARTED || to == TRACE_TASK_RESUMED) {
		c->s->task = task;
	} else if (c->s->task == task) {
		c->s->task = 0;
	}
	emit_plain(c->s, TRACE_TASK, 3, task, c->stack, encode_zigzag(to));
}

EXPORT void thrum__task_step(uint32_t task, uint32_t to)
{
	struct call call;

	if (!task || to > TRACE_TASK_DESTROYED || !shim_enter(&call)) {
		return;
	}
	call.stack = stack_id(&call);
	step(&call, task, to);
	shim_leave(&call);
}

EXPORT void thrum__fiber_switch(uint32_t fiber)
{
	struct call call;

	if (!shim_enter(&call)) {
		return;
	}
	call.stack = stack_id(&call);
	if (call.s->task && call.s->task != fiber) {
		step(&call, call.s->task, TRACE_TASK_SUSPENDED);
	}
	if (fiber && call.s->task != fiber) {
		step(&call, fiber, TRACE_TASK_RESUMED);
	}
	shim_leave(&call);
}

/* ---- benign ---- */

EXPORT void thrum__benign(uint32_t begin)
{
	struct call call;

	if (shim_enter(&call)) {
		call.stack = stack_id(&call);
		emit_plain(call.s, TRACE_BENIGN, 2, call.stack, begin != 0, 0);
		shim_leave(&call);
	}
}
