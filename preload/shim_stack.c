/* SPDX-License-Identifier: MIT */
/*
 * shim_stack.c - call stacks as small ids: a per-thread cache of verified contexts in front of a depot that interns.
 *
 * A context remembers, for one (return address, stack pointer), in which stack words the outer return addresses lay. It
 * holds as long as each word still holds its value: given the innermost frame, the place of the next return address is fixed by the
 * frame information, so equal words mean an equal stack. That costs one load and compare a frame, against
 * 7 ns a frame for a walk.
 */
#include "shim_emit.h"

uint32_t depot_intern(const uintptr_t *ip, uint32_t frames)
{
	uint64_t hash = frames;

	for (uint32_t i = 0; i < frames; i++) {
		hash = (hash ^ ip[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}

	struct depot_entry **bucket = &shim->depot[hash % DEPOT_BUCKETS];
	struct depot_entry *e;

	/* Entries are immutable once linked; the store that links one is the release below. */
	for (e = __atomic_load_n(bucket, __ATOMIC_ACQUIRE); e; e = e->next) {
		if (e->hash == hash && e->frames == frames && !__builtin_memcmp(e->ip, ip, frames * sizeof(*ip))) {
			return e->id;
		}
	}
	spin_lock(&shim->depot_lock);
	for (e = *bucket; e; e = e->next) {
		if (e->hash == hash && e->frames == frames && !__builtin_memcmp(e->ip, ip, frames * sizeof(*ip))) {
			break;
		}
	}
	if (!e && (e = shim_alloc(sizeof(*e) + frames * sizeof(*ip)))) {
		struct tf_def_stack def = { .def.type = TF_DEF_STACK, .stack = ++shim->next_stack, .frames = frames };

		e->hash = hash;
		e->frames = frames;
		e->id = shim->next_stack;
		__builtin_memcpy(e->ip, ip, frames * sizeof(*ip));
		shim->process->stacks = e->id;
		region_define(&def.def, sizeof(def), ip, frames * sizeof(*ip), NULL, 0);
		e->next = *bucket;
		__atomic_store_n(bucket, e, __ATOMIC_RELEASE);
	}
	spin_unlock(&shim->depot_lock);
	return e ? e->id : 0;
}

uint32_t stack_id_slow(struct stream *s, struct context *x, struct arch_caller caller)
{
	uintptr_t ip[CONTEXT_FRAMES + 1], slot[CONTEXT_FRAMES + 1], own[CONTEXT_FRAMES + 1];
	uint32_t n = unwind(caller, s->stack_low, s->stack_high, ip, slot, CONTEXT_FRAMES + 1);
	uint32_t kept = 0;
	bool known_stack = caller.sp >= s->stack_low && caller.sp < s->stack_high;

	for (uint32_t i = 0; i < n; i++) {
		const struct module *m = module_find(ip[i]);

		if (!m || !m->is_thrum) {
			own[kept++] = ip[i];
		}
	}
	kept = kept > CONTEXT_FRAMES ? CONTEXT_FRAMES : kept;

	uint32_t id = depot_intern(own, kept);

	/* On a stack whose bounds are unknown the words may be gone next time: no cache there. */
	x->epoch = known_stack ? s->epoch : 0;
	x->ip = caller.ip;
	x->sp = caller.sp;
	x->stack = id;
	x->slots = 0;
	for (uint32_t i = 1; i < n; i++) {
		uintptr_t offset = (slot[i] - caller.sp) / 8;

		if (slot[i] < caller.sp || offset > UINT32_MAX) {
			x->epoch = 0; /* a signal frame led to another stack */
			break;
		}
		x->offset[x->slots] = (uint32_t)offset;
		x->value[x->slots++] = ip[i];
	}
	return id;
}
