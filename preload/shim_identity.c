/* SPDX-License-Identifier: MIT */
/*
 * shim_identity.c - what a thing is that other processes reach too: locks in shared mappings by
 * (device, inode, offset), and objects without an address. Knows nothing of what is done with them.
 *
 * A shared mapping's inode comes from /proc/self/maps (anonymous shared memory and System V segments
 * have one there too). The last few mappings are kept, so a million locks in one mapping cost one
 * look. Safety class SLOW, but identity_forget_mappings (HOT).
 */
#include "shim_emit.h"

#include <fcntl.h>

/* ---- mappings ---- */

void identity_forget_mappings(uintptr_t start, size_t bytes)
{
	for (unsigned i = 0; i < MAPPINGS; i++) {
		const struct mapping *m = &shim->mappings[i];

		if (m->start < start + bytes && start < m->end) {
			atomic_fetch_add(&shim->mapping_epoch, 1);
			return;
		}
	}
}

static bool find_mapping(uintptr_t address, struct mapping *ret)
{
	uint32_t epoch = atomic_load(&shim->mapping_epoch);
	struct mapping found = { .epoch = epoch };

	spin_lock(&shim->ipc_lock);
	for (unsigned i = 0; i < MAPPINGS; i++) {
		const struct mapping *m = &shim->mappings[i];

		if (m->epoch == epoch && address >= m->start && address < m->end) {
			*ret = *m;
			spin_unlock(&shim->ipc_lock);
			return true;
		}
	}
	spin_unlock(&shim->ipc_lock);
	if (!module_mapping_of(address, &found)) {
		return false;
	}
	spin_lock(&shim->ipc_lock);
	shim->mappings[atomic_fetch_add(&shim->mapping_next, 1) % MAPPINGS] = found;
	spin_unlock(&shim->ipc_lock);
	*ret = found;
	return true;
}

bool identity_of_memory(uintptr_t address, unsigned kind, uint32_t *attributes,
			struct identity *ret_key)
{
	struct mapping m;

	switch (kind) {
	case TRACE_OBJECT_MUTEX:
	case TRACE_OBJECT_RWLOCK:
	case TRACE_OBJECT_COND:
		if (likely(!(*attributes & TF_PSHARED))) {
			return false;
		}
		break;
	case TRACE_OBJECT_SEM:
	case TRACE_OBJECT_BARRIER:
		if (likely(!(*attributes & TF_COUNT_SHARED))) {
			return false;
		}
		break;
	case TRACE_OBJECT_SPIN: /* their memory does not say it */
	case TRACE_OBJECT_FUTEX:
		break;
	default:
		return false;
	}
	if (!find_mapping(address, &m) || !m.is_shared) {
		return false;
	}
	if (kind == TRACE_OBJECT_SPIN) {
		*attributes |= TF_PSHARED;
	}
	*ret_key = (struct identity){ .space = TF_IDENTITY_MEMORY,
				      .kind = kind,
				      .dev = m.dev,
				      .ino = m.ino,
				      .offset = m.offset + (address - m.start) };
	return true;
}

/* ---- the table ---- */

static struct identity **bucket_of(const struct identity *key)
{
	uint64_t h = key->ino * 0x9e3779b97f4a7c15u ^ key->offset * 0xd6e8feb86659fd93u ^
		     key->space;

	return &shim->identities[(h * 0x9e3779b97f4a7c15u) >> 52];
}

/* The key of a System V semaphore is not known when it is looked for; its id is enough. */
static bool is_same(const struct identity *a, const struct identity *b)
{
	return a->space == b->space && a->ino == b->ino && a->offset == b->offset &&
	       (a->space == TF_IDENTITY_SOCKET || a->length == b->length) &&
	       (a->space == TF_IDENTITY_SYSV_SEM || a->dev == b->dev);
}

/* Under ipc_lock. */
static struct identity *find(const struct identity *key)
{
	struct identity *i = *bucket_of(key);

	while (i && !is_same(i, key)) {
		i = i->next;
	}
	return i;
}

/* Under ipc_lock. */
static void take_out(struct identity *i)
{
	for (struct identity **p = bucket_of(i); *p; p = &(*p)->next) {
		if (*p == i) {
			*p = i->next;
			return;
		}
	}
}

static void define_identity(uint32_t object, const struct identity *key, uint64_t offset)
{
	struct tf_def_identity def = { .def.type = TF_DEF_IDENTITY,
				       .object = object,
				       .space = key->space,
				       .dev = key->dev,
				       .ino = key->ino,
				       .offset = offset,
				       .length = key->length };

	region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
}

void object_define_name(uint32_t object, const char *name, unsigned source)
{
	struct tf_def_object_name def = { .def.type = TF_DEF_OBJECT_NAME,
					  .object = object,
					  .source = (uint16_t)source,
					  .bytes = (uint16_t)__builtin_strlen(name) };

	region_define(&def.def, sizeof(def), name, def.bytes + 1u, NULL, 0);
}

/* ---- locks in shared memory ---- */

/* Under ipc_lock. Used again: a program may map and unmap for ever. */
static void identity_free(struct identity *i)
{
	i->next = shim->free_identities;
	shim->free_identities = i;
}

struct object *identity_adopt(const struct identity *key, uintptr_t address, unsigned kind)
{
	struct object *o, *alias = NULL;
	struct identity *i;

	spin_lock(&shim->ipc_lock);
	i = find(key);
	o = i ? i->object : NULL;
	if (!o || o->kind != kind || o->flags & OBJECT_DESTROYED) {
		spin_unlock(&shim->ipc_lock);
		return NULL;
	}
	if (atomic_load(&o->address) == 0) { /* its mapping went while it was held */
		object_link(o, address);
	} else if (atomic_load(&o->address) != address && (alias = object_entry_new())) {
		o->flags |= OBJECT_HAS_ALIAS;
		*alias = (struct object){
			.id = o->id, .kind = o->kind, .flags = OBJECT_ALIAS, .same = o
		};
		object_link(alias, address);
	}
	spin_unlock(&shim->ipc_lock);
	return o;
}

void identity_bind(struct object *o, const struct identity *key)
{
	struct identity *i, *fresh;

	spin_lock(&shim->ipc_lock);
	fresh = shim->free_identities;
	if (fresh) {
		shim->free_identities = fresh->next;
	}
	spin_unlock(&shim->ipc_lock);
	fresh = fresh ? fresh : shim_alloc(sizeof(*fresh));
	spin_lock(&shim->ipc_lock);
	i = find(key);
	if (!i && fresh) {
		i = fresh;
		*i = *key;
		i->next = *bucket_of(key);
		*bucket_of(key) = i;
		fresh = NULL;
	}
	if (i) {
		i->object = o; /* maybe in place of another lock that lived there before */
	}
	if (fresh) {
		identity_free(fresh);
	}
	o->identity = i;
	spin_unlock(&shim->ipc_lock);
	define_identity(o->id, key, key->offset);
}

/* Is it held, as far as this process knows or its memory says? The address is still mapped. */
static bool may_be_held(const struct object *o)
{
	uintptr_t address = atomic_load(&o->address);

	if (atomic_load(&o->owner) || o->flags & OBJECT_HAS_ALIAS) {
		return true;
	}
	return o->kind == TRACE_OBJECT_RWLOCK && address && arch_rwlock_is_locked((void *)address);
}

bool identity_detach(struct object *o)
{
	return o->identity && o->identity->object == o && !(o->flags & OBJECT_DESTROYED) &&
	       may_be_held(o);
}

void identity_unbind(struct object *o)
{
	struct identity *i = o->identity;

	spin_lock(&shim->ipc_lock);
	if (i && i->object == o) {
		take_out(i);
		identity_free(i);
	}
	o->identity = NULL;
	spin_unlock(&shim->ipc_lock);
}

/* ---- objects without an address ---- */

struct named *named_find(const struct identity *key)
{
	struct identity *i;

	spin_lock(&shim->ipc_lock);
	i = find(key);
	spin_unlock(&shim->ipc_lock);
	return (struct named *)i;
}

static struct named *named_new(const struct identity *key)
{
	struct named *n;

	spin_lock(&shim->ipc_lock);
	n = shim->free_named;
	if (n) {
		shim->free_named = (struct named *)n->key.next;
	}
	spin_unlock(&shim->ipc_lock);
	n = n ? n : shim_alloc(sizeof(*n));
	if (n) {
		*n = (struct named){ .key = *key };
		n->key.object = &n->object;
		n->object.kind = (uint16_t)key->kind;
		n->object.flags = OBJECT_SHARED | OBJECT_EXTRA_DEFS;
	}
	return n;
}

/* Under ipc_lock. */
static void named_free(struct named *n)
{
	n->key.next = (struct identity *)shim->free_named;
	shim->free_named = n;
}

struct named *named_lookup_or_add(const struct identity *key)
{
	struct named *n = named_find(key), *fresh;

	if (n || !(fresh = named_new(key))) {
		return n;
	}
	spin_lock(&shim->ipc_lock);
	n = (struct named *)find(key);
	if (n) { /* two threads met it at once */
		named_free(fresh);
	} else {
		n = fresh;
		n->key.next = *bucket_of(key);
		*bucket_of(key) = &n->key;
	}
	spin_unlock(&shim->ipc_lock);
	return n;
}

static uint32_t ends_of(const struct named *n)
{
	return (n->read_ends ? END_READ : 0) | (n->write_ends ? END_WRITE : 0);
}

static bool has_ends(const struct named *n)
{
	return n->key.space == TF_IDENTITY_PIPE || n->key.space == TF_IDENTITY_SOCKET;
}

void named_define(const struct call *c, struct named *n, const char *name, unsigned source)
{
	struct tf_def_object def = { .def.type = TF_DEF_OBJECT,
				     .kind = KIND_OF(n->object.kind),
				     .stack = c->stack,
				     .thread = c->s->thread,
				     .ticks = arch_ticks(),
				     .attributes = n->object.attributes };

	spin_lock(&shim->ipc_lock);
	if (!atomic_load(&n->defined)) {
		n->object.id = atomic_fetch_add(&shim->next_object, 1) + 1;
		shim->process->objects = n->object.id;
		def.object = n->object.id;
		region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
		n->ends_told = ends_of(n);
		define_identity(n->object.id, &n->key, has_ends(n) ? n->ends_told : n->key.offset);
		if (name && name[0]) {
			object_define_name(n->object.id, name, source);
		}
		atomic_store_explicit(&n->defined, 1, memory_order_release);
	}
	spin_unlock(&shim->ipc_lock);
}

void named_tell_ends(struct named *n)
{
	spin_lock(&shim->ipc_lock);
	if (atomic_load(&n->defined) && n->ends_told != ends_of(n)) {
		n->ends_told = ends_of(n);
		define_identity(n->object.id, &n->key, n->ends_told);
	}
	spin_unlock(&shim->ipc_lock);
}

void named_retire(struct call *c, struct named *n, bool gone)
{
	if (gone && atomic_load(&n->defined)) {
		emit_oa(c->s, TRACE_GONE, n->object.id, TRACE_GONE_FREED);
	}
	spin_lock(&shim->ipc_lock);
	take_out(&n->key);
	named_free(n);
	spin_unlock(&shim->ipc_lock);
}
