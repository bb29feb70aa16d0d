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

/* The lock an entry stands for; NULL for the second address of one that is no more. */
static struct object *resolve(struct object *o)
{
	if (likely(!o || !(o->flags & OBJECT_ALIAS))) {
		return o;
	}
	return o->same->id == o->id ? o->same : NULL;
}

struct object *object_peek(uintptr_t address)
{
	return resolve(chain_find(bucket_of(address), address));
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

	if (kind & ~(unsigned)KIND_MASK) {
		return (kind & KIND_FOREIGN) >> KIND_LIBRARY_SHIFT << TF_LIBRARY_SHIFT |
		       (kind & KIND_TYPE_1 ? 1 : 0) |
		       (kind & KIND_TYPE_UNKNOWN ? TF_ATTRIBUTES_UNKNOWN : 0);
	}
	switch (kind) {
	case TRACE_OBJECT_MUTEX:
		return arch_mutex_attributes(p);
	case TRACE_OBJECT_RWLOCK:
		return arch_rwlock_attributes(p);
	case TRACE_OBJECT_COND:
		return arch_cond_is_shared(p) ? TF_PSHARED : 0;
	case TRACE_OBJECT_SEM:
		return sem_attribute(arch_sem_value(p)) |
		       (arch_sem_is_shared(p) ? TF_COUNT_SHARED : 0);
	case TRACE_OBJECT_BARRIER:
		return arch_barrier_count(p) % TF_COUNT_SHARED |
		       (arch_barrier_is_shared(p) ? TF_COUNT_SHARED : 0);
	default:
		return 0;
	}
}

static bool is_locked_now(uintptr_t address, unsigned kind)
{
	const void *p = (const void *)address;

	if (kind & KIND_FOREIGN) {
		return true; /* it cannot be asked; an acquire or INIT will tell */
	}
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
	if (o->kind & KIND_ZERO_BORN) {
		return false;
	}
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

struct object *object_entry_new(void)
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

void object_entry_free(struct object *o)
{
	spin_lock(&shim->region_lock);
	o->next = shim->free_objects;
	shim->free_objects = o;
	spin_unlock(&shim->region_lock);
}

static void define_object(struct call *c, struct object *o, uintptr_t address, uint32_t where)
{
	struct tf_def_object def = { .def.type = TF_DEF_OBJECT,
				     .object = o->id,
				     .kind = KIND_OF(o->kind),
				     .address = address,
				     .stack = c->stack,
				     .thread = c->s->thread,
				     .ticks = arch_ticks(),
				     .attributes = o->attributes,
				     .where = where };

	if (o->id > shim->process->objects) { /* an id may be given out again */
		shim->process->objects = o->id;
	}
	bounded_object_define(o, &def);
}

/* Somebody had it before we looked: who, the memory may say. */
static void define_owner(const struct object *o, uintptr_t address)
{
	struct tf_def_owner def = { .def.type = TF_DEF_OWNER, .object = o->id };

	if (o->kind == TRACE_OBJECT_MUTEX) {
		def.tid = arch_mutex_owner((const void *)address);
	} else if (o->kind == TRACE_OBJECT_RWLOCK) {
		def.tid = arch_rwlock_writer((const void *)address);
	}
	region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
}

void object_note_page(uintptr_t address)
{
	uint32_t bit = page_bit(address);

	__atomic_fetch_or(&shim->page_filter[bit / 8], (uint8_t)(1u << (bit % 8)),
			  __ATOMIC_RELAXED);
	bit = (uint32_t)(page_hash(address) >> (64 - PAGE_HINT_BITS));
	__atomic_fetch_or(&shim->page_hint[bit / 8], (uint8_t)(1u << (bit % 8)), __ATOMIC_RELAXED);
}

void object_link(struct object *o, uintptr_t address)
{
	uint32_t bucket = bucket_of(address);

	object_note_page(address);
	spin_lock(lock_of(bucket));
	atomic_store_explicit(&o->address, address, memory_order_relaxed);
	o->next = shim->objects[bucket];
	__atomic_store_n(&shim->objects[bucket], o, __ATOMIC_RELEASE);
	spin_unlock(lock_of(bucket));
}

static struct object *object_create(struct call *c, uintptr_t address, unsigned kind)
{
	uint32_t bucket = bucket_of(address), where = TF_WHERE_UNKNOWN;
	struct object *o, *other;
	struct stream *other_stack;
	struct identity key;
	uint32_t attributes = read_attributes(address, kind);
	bool shared = identity_of_memory(address, kind, &attributes, &key);

	if (unlikely(shared) && (o = identity_adopt(&key, address, kind))) {
		object_note_page(address);
		return o;
	}
	o = object_entry_new();
	if (!o) {
		return NULL;
	}
	*o = (struct object){ .kind = (uint16_t)kind,
			      .flags = shared ? OBJECT_SHARED | OBJECT_EXTRA_DEFS : 0,
			      .attributes = attributes };
	bounded_object_born(c->s, o, c->stack);
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
	} else if (module_known(address)) {
		where = TF_WHERE_MODULE;
	}
	object_note_page(address);

	spin_lock(lock_of(bucket));
	other = chain_find(bucket, address);
	if (!other) {
		atomic_store_explicit(&o->address, address, memory_order_relaxed);
		o->next = shim->objects[bucket];
		/* Defined before it can be found: no record names an id that has no definition. */
		define_object(c, o, address, where);
		if (unlikely(o->flags & OBJECT_OWNER_UNKNOWN) && !(o->kind & KIND_FOREIGN)) {
			define_owner(o, address);
			o->flags |= OBJECT_EXTRA_DEFS;
		}
		__atomic_store_n(&shim->objects[bucket], o, __ATOMIC_RELEASE);
	}
	spin_unlock(lock_of(bucket));
	if (other) { /* two threads met it at once */
		bounded_object_gone(o);
		object_entry_free(o);
	} else if (unlikely(shared)) {
		identity_bind(o, &key);
	}
	if (unlikely(__atomic_load_n(&shim->annotations, __ATOMIC_RELAXED)) && !other) {
		annotation_meet(c, o);
	}
	return other ? resolve(other) : o;
}

/* Out of the table; false: another thread was faster. */
static bool unlink_entry(struct object *o, uintptr_t address)
{
	uint32_t bucket = bucket_of(address);
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
	return linked;
}

void object_move_range(uintptr_t start, size_t bytes, uintptr_t to)
{
	for (uintptr_t page = start & ~(uintptr_t)4095; page < start + bytes; page += 4096) {
		uint32_t bit = page_bit(page);

		if (!(shim->page_filter[bit / 8] >> (bit % 8) & 1)) {
			continue;
		}
		for (uintptr_t g = page; g < page + 4096; g += 1 << GRANULE_SHIFT) {
			struct object *o =
				__atomic_load_n(&shim->objects[bucket_of(g)], __ATOMIC_ACQUIRE);
			struct object *next;

			for (unsigned steps = 0; o && steps < CHAIN_LIMIT; o = next, steps++) {
				uintptr_t address = atomic_load(&o->address);

				next = __atomic_load_n(&o->next, __ATOMIC_ACQUIRE);
				if (address >= start && address < start + bytes &&
				    unlink_entry(o, address)) {
					object_link(o, to + (address - start));
				}
			}
		}
	}
}

void object_retire(struct call *c, struct object *o, unsigned why)
{
	uintptr_t address = atomic_load(&o->address);
	uint32_t id = o->id;
	uint16_t flags = o->flags;

	if (unlikely(flags & OBJECT_SHARED) && why == TRACE_GONE_UNMAPPED && identity_detach(o)) {
		unlink_entry(o, address);
		return;
	}
	if (!unlink_entry(o, address)) {
		return;
	}
	if (unlikely(__atomic_load_n(&shim->annotations, __ATOMIC_RELAXED))) {
		annotation_forget(address);
	}
	if (unlikely(flags & OBJECT_SHARED)) {
		identity_unbind(o);
	}
	if (unlikely(flags & OBJECT_HAS_ALIAS)) {
		o->id = 0; /* those entries lead nowhere from now on */
	}
	/* What is unmapped here may go on in other processes, or be mapped again. */
	if (why && !(flags & (OBJECT_DESTROYED | OBJECT_ALIAS)) &&
	    !(flags & OBJECT_SHARED && why == TRACE_GONE_UNMAPPED)) {
		emit_oa(c->s, TRACE_GONE, id, why);
	}
	bounded_object_gone(o);
	object_entry_free(o);
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
	if (o && unlikely(o->story != NULL)) {
		bounded_object_met(c->s, o);
	}
	if (!o) {
		struct object *stale = chain_find(bucket_of(address), address);

		if (unlikely(stale != NULL) && !resolve(stale)) {
			object_retire(c, stale, 0);
		}
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
