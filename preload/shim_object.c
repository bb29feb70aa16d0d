/* SPDX-License-Identifier: MIT */
/*
 * shim_object.c - which lock instance an address is: the table from address to object, and the ends
 * of lives.
 *
 * Identity is address plus generation. A generation ends at destroy, at initialisation over a live
 * one, when the memory is freed or unmapped, when the stack frame it lay in is another one, and
 * when the thread whose stack it lay on is over. Buckets hash the 256-byte granule, so that the end
 * of a block visits few buckets. Lookups take no lock: entries are type-stable, and a walk that an
 * insertion disturbed only costs the slow path. Changes take the bucket's spin lock. Safety class
 * SLOW, but object_range_may_match (HOT).
 */
#include "shim_emit.h"

enum {
	GRANULE_SHIFT = 8,
	CHAIN_LIMIT = 4096,
	MANY_STREAMS = 512,   /* beyond it a new lock is not looked up on other stacks */
	HUGE_RANGE = 1 << 30, /* more pages than there are buckets */
};

static uint32_t bucket_of(uintptr_t address)
{
	return (uint32_t)(((address >> GRANULE_SHIFT) * 0x9e3779b97f4a7c15u) >> 46); /* 18 bits */
}

static spin_t *lock_of(uint32_t bucket)
{
	return &shim->object_lock[bucket % OBJECT_LOCKS];
}

static uint32_t page_bit(uintptr_t address)
{
	return (uint32_t)(page_hash(address) >> (64 - PAGE_FILTER_BITS));
}

static struct object *chain_find(uint32_t bucket, uintptr_t address)
{
	unsigned steps = 0;

	for (struct object *o = __atomic_load_n(&shim->objects[bucket], __ATOMIC_ACQUIRE);
	     o && steps < CHAIN_LIMIT; o = __atomic_load_n(&o->next, __ATOMIC_ACQUIRE), steps++) {
		if (atomic_load_explicit(&o->address, memory_order_relaxed) == address) {
			return o;
		}
	}
	return NULL;
}

struct object *object_peek(uintptr_t address)
{
	return chain_find(bucket_of(address), address);
}

bool object_range_may_match(uintptr_t start, size_t bytes)
{
	if (!shim || atomic_load_explicit(&shim->state, memory_order_relaxed) != SHIM_LIVE) {
		return false;
	}
	if (bytes > HUGE_RANGE) {
		return true;
	}
	for (uintptr_t page = start & ~(uintptr_t)4095; page < start + bytes; page += 4096) {
		uint32_t bit = page_bit(page);

		if (shim->page_filter[bit / 8] >> (bit % 8) & 1) {
			return true;
		}
	}
	return false;
}

/* ---- what the memory itself says ---- */

static uint32_t read_attributes(uintptr_t address, unsigned kind)
{
	const void *p = (const void *)address;

	switch (kind) {
	case TRACE_OBJECT_MUTEX:
		return arch_mutex_attributes(p);
	case TRACE_OBJECT_RWLOCK:
		return arch_rwlock_attributes(p);
	case TRACE_OBJECT_COND:
		return arch_cond_is_shared(p) ? TF_PSHARED : 0;
	case TRACE_OBJECT_SEM:
		return arch_sem_value(p);
	default:
		return 0;
	}
}

static bool is_locked_now(uintptr_t address, unsigned kind)
{
	const void *p = (const void *)address;

	switch (kind) {
	case TRACE_OBJECT_MUTEX:
		return arch_mutex_is_locked(p);
	case TRACE_OBJECT_RWLOCK:
		return arch_rwlock_is_locked(p);
	case TRACE_OBJECT_SPIN:
		return arch_spin_is_locked(p);
	default:
		return false;
	}
}

static bool still_destroyed(const struct object *o, uintptr_t address)
{
	switch (o->kind) {
	case TRACE_OBJECT_MUTEX:
		return arch_mutex_is_destroyed((const void *)address);
	case TRACE_OBJECT_COND:
		return arch_cond_is_destroyed((const void *)address);
	case TRACE_OBJECT_RWLOCK:
		return arch_rwlock_is_destroyed((const void *)address);
	default:
		return true;
	}
}

/* ---- the stack frame an object lies in ---- */

static bool on_own_stack(const struct call *c, uintptr_t address)
{
	return address >= c->caller.sp && address < c->s->stack_high && address >= c->s->stack_low;
}

static void note_on_stack(struct stream *s, uintptr_t address)
{
	uintptr_t lowest = atomic_load(&s->stack_lowest);

	while (address < lowest &&
	       !atomic_compare_exchange_weak(&s->stack_lowest, &lowest, address)) {
	}
}

/* A lock that lives on another thread's stack: a local of the function that made us. */
static struct stream *find_other_stack(uintptr_t address)
{
	uint32_t count = shim->stream_count;

	for (uint32_t i = 1; i <= count && count <= MANY_STREAMS; i++) {
		struct stream *s = shim->streams[i];

		if (s && s->thread && address >= s->stack_low && address < s->stack_high) {
			return s;
		}
	}
	return NULL;
}

/* The innermost frame boundary above the address, from the context of this very call. */
static void find_frame(struct call *c, uintptr_t address, uintptr_t *ret_slot,
		       uintptr_t *ret_return)
{
	const struct context *x = c->context;

	*ret_slot = *ret_return = 0;
	for (uint32_t i = 1; x && i < x->frames; i++) {
		uintptr_t slot = x->sp + (uintptr_t)x->offset[i - 1] * 8;

		if (slot > address) {
			*ret_slot = slot;
			*ret_return = x->stack->ip[i];
			return;
		}
	}
}

/* False: the frame it was born in is over. Adopts objects that another thread saw first. */
static bool frame_is_same(struct call *c, struct object *o, uintptr_t address)
{
	uintptr_t slot, ret;

	if (!on_own_stack(c, address)) {
		return true;
	}
	find_frame(c, address, &slot, &ret);
	if (!(o->flags & OBJECT_ON_STACK)) {
		o->frame_slot = slot;
		o->frame_return = ret;
		o->frame_thread = c->s->thread;
		o->flags |= OBJECT_ON_STACK;
		note_on_stack(c->s, address);
		return true;
	}
	return o->frame_thread == c->s->thread &&
	       (!slot || !o->frame_slot || (slot == o->frame_slot && ret == o->frame_return));
}

/* ---- life ---- */

static struct object *entry_new(void)
{
	struct object *o;

	spin_lock(&shim->region_lock);
	o = shim->free_objects;
	if (o) {
		shim->free_objects = o->next;
	}
	spin_unlock(&shim->region_lock);
	return o ? o : shim_alloc(sizeof(*o));
}

static void define_object(struct call *c, struct object *o, uintptr_t address, uint32_t where)
{
	struct tf_def_object def = { .def.type = TF_DEF_OBJECT,
				     .object = o->id,
				     .kind = o->kind,
				     .address = address,
				     .stack = c->stack,
				     .thread = c->s->thread,
				     .ticks = arch_ticks(),
				     .attributes = o->attributes,
				     .where = where };

	shim->process->objects = o->id;
	region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
}

static struct object *object_create(struct call *c, uintptr_t address, unsigned kind)
{
	uint32_t bucket = bucket_of(address), bit = page_bit(address), where = TF_WHERE_UNKNOWN;
	struct object *o, *other;
	struct stream *other_stack;

	o = entry_new();
	if (!o) {
		return NULL;
	}
	*o = (struct object){ .id = atomic_fetch_add(&shim->next_object, 1) + 1,
			      .kind = (uint16_t)kind };
	o->attributes = read_attributes(address, kind);
	if (is_locked_now(address, kind)) {
		o->flags |= OBJECT_OWNER_UNKNOWN;
	}
	if (on_own_stack(c, address)) {
		o->flags |= OBJECT_ON_STACK;
		find_frame(c, address, &o->frame_slot, &o->frame_return);
		o->frame_thread = c->s->thread;
		note_on_stack(c->s, address);
		where = TF_WHERE_STACK;
	} else if ((other_stack = find_other_stack(address))) {
		o->flags |= OBJECT_ON_STACK;
		o->frame_thread = other_stack->thread;
		note_on_stack(other_stack, address);
		where = TF_WHERE_STACK;
	} else if (module_covers(address)) {
		where = TF_WHERE_MODULE;
	}
	__atomic_fetch_or(&shim->page_filter[bit / 8], (uint8_t)(1u << (bit % 8)),
			  __ATOMIC_RELAXED);
	bit = (uint32_t)(page_hash(address) >> (64 - PAGE_HINT_BITS));
	__atomic_fetch_or(&shim->page_hint[bit / 8], (uint8_t)(1u << (bit % 8)), __ATOMIC_RELAXED);

	spin_lock(lock_of(bucket));
	other = chain_find(bucket, address);
	if (!other) {
		atomic_store_explicit(&o->address, address, memory_order_relaxed);
		o->next = shim->objects[bucket];
		/* Defined before it can be found: no record names an id that has no definition. */
		define_object(c, o, address, where);
		__atomic_store_n(&shim->objects[bucket], o, __ATOMIC_RELEASE);
	}
	spin_unlock(lock_of(bucket));
	if (other) { /* two threads met it at once; the id stays unused */
		spin_lock(&shim->region_lock);
		o->next = shim->free_objects;
		shim->free_objects = o;
		spin_unlock(&shim->region_lock);
	}
	return other ? other : o;
}

void object_retire(struct call *c, struct object *o, unsigned why)
{
	uintptr_t address = atomic_load(&o->address);
	uint32_t bucket = bucket_of(address), id = o->id;
	bool was_destroyed = o->flags & OBJECT_DESTROYED;
	bool linked = false;

	spin_lock(lock_of(bucket));
	for (struct object **p = &shim->objects[bucket]; *p; p = &(*p)->next) {
		if (*p == o && atomic_load(&o->address) == address && address) {
			__atomic_store_n(p, o->next, __ATOMIC_RELEASE);
			atomic_store(&o->address,
				     0); /* pairs with object_find's look at a cached entry */
			linked = true;
			break;
		}
	}
	spin_unlock(lock_of(bucket));
	if (!linked) {
		return; /* another thread was faster */
	}
	if (why && !was_destroyed) {
		emit_oa(c->s, TRACE_GONE, id, why);
	}
	spin_lock(&shim->region_lock);
	o->next = shim->free_objects;
	shim->free_objects = o;
	spin_unlock(&shim->region_lock);
}

struct object *object_find_slow(struct call *c, uintptr_t address, unsigned kind)
{
	struct object *o = object_peek(address);

	if (o && o->kind != kind) {
		object_retire(c, o, TRACE_GONE_REINIT);
		o = NULL;
	}
	if (o && o->flags & OBJECT_DESTROYED && !still_destroyed(o, address)) {
		object_retire(c, o, TRACE_GONE_REINIT);
		o = NULL;
	}
	if (o && !frame_is_same(c, o, address)) {
		object_retire(c, o, TRACE_GONE_STACK);
		o = NULL;
	}
	if (!o) {
		o = object_create(c, address, kind);
	}
	if (o) {
		*object_slot(c->s, address) = o;
	}
	return o;
}

struct object *object_renew(struct call *c, uintptr_t address, unsigned kind)
{
	struct object *o = object_peek(address);

	if (o) {
		object_retire(c, o, TRACE_GONE_REINIT);
	}
	return object_find_slow(c, address, kind);
}

static void retire_in_bucket(struct call *c, uint32_t bucket, uintptr_t start, uintptr_t end,
			     unsigned why)
{
	struct object *o = __atomic_load_n(&shim->objects[bucket], __ATOMIC_ACQUIRE), *next;

	for (unsigned steps = 0; o && steps < CHAIN_LIMIT; o = next, steps++) {
		uintptr_t address = atomic_load(&o->address);

		next = __atomic_load_n(&o->next, __ATOMIC_ACQUIRE);
		if (address >= start && address < end) {
			if ((size_t)(c->s->limit - c->s->cursor) < ROOM) {
				shim_seal(c->s);
			}
			object_retire(c, o, why);
		}
	}
}

void object_retire_range(struct call *c, uintptr_t start, size_t bytes, unsigned why)
{
	uintptr_t end = start + bytes;

	if (bytes > HUGE_RANGE) { /* reservations of terabytes exist */
		for (uint32_t bucket = 0; bucket < OBJECT_BUCKETS; bucket++) {
			retire_in_bucket(c, bucket, start, end, why);
		}
		return;
	}
	for (uintptr_t page = start & ~(uintptr_t)4095; page < end; page += 4096) {
		uint32_t bit = page_bit(page);

		if (!(shim->page_filter[bit / 8] >> (bit % 8) & 1)) {
			continue;
		}
		for (uintptr_t g = page; g < page + 4096 && g < end; g += 1 << GRANULE_SHIFT) {
			if (g + (1 << GRANULE_SHIFT) > start) {
				retire_in_bucket(c, bucket_of(g), start, end, why);
			}
		}
	}
}

bool object_has_waiter(uint32_t id)
{
	uint32_t count = shim->stream_count;

	for (uint32_t i = 1; i <= count; i++) {
		const struct stream *s = shim->streams[i];

		if (s && s->thread && s != shim_stream && s->segment->wait.kind &&
		    s->segment->wait.object == id) {
			return true;
		}
	}
	return false;
}
