/* SPDX-License-Identifier: MIT */
/*
 * shim_stack.c - call stacks as small ids: a per-thread cache of verified contexts in front of a
 * depot that interns.
 *
 * A context remembers, for one (return address, stack pointer), in which stack words the outer
 * return addresses lay. It holds as long as each word still holds its value: given the innermost
 * frame, the place of the next return address is fixed by the frame information, so equal words
 * mean an equal stack. That costs one load and compare a frame, against 7 ns a frame for a walk.
 *
 * Stacks through a signal frame have no context: the place of the interrupted code's frames hangs on registers
 * in the kernel's frame, which need not be equal where the words are, and equal stacks may be of
 * different signals. Handlers are rare.
 */
#include "python/py.h"

/* Mostly few words: a call of memcmp, which is ours and goes by bytes, costs more. */
static bool is_same(const struct depot_entry *e, uint64_t hash, const uintptr_t *ip,
		    uint32_t frames, uint16_t signal)
{
	if (e->hash != hash || e->frames != frames || e->signal != signal) {
		return false;
	}
	for (uint32_t i = 0; i < frames; i++) {
		if (e->ip[i] != ip[i]) {
			return false;
		}
	}
	return true;
}

const struct depot_entry *depot_intern(const uintptr_t *ip, uint32_t frames, uint16_t signal)
{
	uint64_t hash = frames | (uint64_t)signal << 16;

	for (uint32_t i = 0; i < frames; i++) {
		hash = (hash ^ ip[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}

	struct depot_entry **bucket = &shim->depot[hash % DEPOT_BUCKETS];
	struct depot_entry *e;

	/* Entries are immutable once linked; the store that links one is the release below. */
	for (e = __atomic_load_n(bucket, __ATOMIC_ACQUIRE); e; e = e->next) {
		if (is_same(e, hash, ip, frames, signal)) {
			return e;
		}
	}
	spin_lock(&shim->depot_lock);
	for (e = *bucket; e; e = e->next) {
		if (is_same(e, hash, ip, frames, signal)) {
			break;
		}
	}
	if (!e && (e = shim_alloc(sizeof(*e) + frames * sizeof(*ip)))) {
		struct tf_def_stack def = { .def.type = TF_DEF_STACK,
					    .def.flags = signal,
					    .stack = ++shim->next_stack,
					    .frames = frames };

		e->hash = hash;
		e->frames = (uint16_t)frames;
		e->signal = signal;
		e->id = shim->next_stack;
		__builtin_memcpy(e->ip, ip, frames * sizeof(*ip));
		shim->process->stacks = e->id;
		region_define(&def.def, sizeof(def), ip, frames * sizeof(*ip), NULL, 0);
		e->next = *bucket;
		__atomic_store_n(bucket, e, __ATOMIC_RELEASE);
	}
	spin_unlock(&shim->depot_lock);
	return e;
}

/* False: some word cannot be looked at safely, or not named, next time. */
static bool context_fill(struct stream *s, struct context *x, const struct arch_caller *caller,
			 const uintptr_t *slot, const struct depot_entry *e)
{
	x->epoch = 0;
	x->ip = caller->ip;
	x->sp = caller->sp;
	x->stack = e;
	x->frames = (uint16_t)e->frames;
	if (caller->sp < s->stack_low || caller->sp >= s->stack_high) {
		return false; /* a stack whose bounds are unknown may be unmapped next time */
	}
	for (uint32_t i = 1; i < e->frames; i++) {
		uintptr_t words = (slot[i] - caller->sp) / 8;

		if (slot[i] < caller->sp || words > UINT16_MAX) {
			return false; /* a huge frame, or a frame on another stack */
		}
		x->offset[i - 1] = (uint16_t)words;
	}
	x->epoch = s->epoch;
	return true;
}

/*
 * The two innermost frames' sizes, for context_set. First come, first served: were an entry replaced, two
 * addresses that share one would change each other's keys in turn, and neither context be found again.
 */
static void learn_frame_sizes(struct stream *s, const uintptr_t *ip, const uintptr_t *slot,
			      uint32_t frames)
{
	for (uint32_t i = 0; i < 2 && i + 1 < frames; i++) {
		struct frame_size *f = frame_size_of(s, ip[i]);

		if (!f->ip) {
			f->ip = ip[i];
			f->words = (slot[i + 1] - (slot[i] + 8)) / 8;
		}
	}
}

static const struct depot_entry *walk(struct call *c, struct context *set)
{
	uintptr_t ip[CONTEXT_FRAMES], slot[CONTEXT_FRAMES];
	struct signal_frame signal = { 0 };
	struct stream *s = c->s;
	uint32_t n =
		unwind(c->caller, s->stack_low, s->stack_high, ip, slot, CONTEXT_FRAMES, &signal);
	uint16_t flags = signal.frames ? signal_flags(ip, &signal) : 0;
	const struct depot_entry *e = depot_intern(ip, n, flags);
	struct context *x;

	c->context = NULL;
	if (!e || flags || signal.cut) {
		return e;
	}
	if (c->caller.sp >= s->stack_low && c->caller.sp < s->stack_high) {
		learn_frame_sizes(s, ip, slot, n);
		set = context_set(s, c->caller.ip,
				  c->caller.sp); /* the key may have changed by that */
	}
	x = &set[s->context_victim++ % CONTEXT_WAYS];
	if (context_fill(s, x, &c->caller, slot, e)) {
		c->context = x;
	}
	return e;
}

uint32_t unwind_interrupted(struct call *c, uintptr_t *ret_ip)
{
	uintptr_t slot[CONTEXT_FRAMES];
	struct signal_frame signal;

	return unwind_from(c->caller, true, c->s->stack_low, c->s->stack_high, ret_ip, slot,
			   CONTEXT_FRAMES, &signal);
}

uint32_t stack_id_interrupted(struct call *c, bool is_done, bool *ret_in_handler, uintptr_t *ret_ip,
			      uint32_t max)
{
	uintptr_t ip[CONTEXT_FRAMES], slot[CONTEXT_FRAMES];
	struct signal_frame signal;
	const struct depot_entry *e;
	uint32_t n = unwind_from(c->caller, !is_done, c->s->stack_low, c->s->stack_high, ip, slot,
				 CONTEXT_FRAMES, &signal);

	for (uint32_t i = 0; i < max; i++) {
		ret_ip[i] = i < n ? ip[i] : 0;
	}
	*ret_in_handler = signal.frames != 0;
	e = depot_intern(ip, n, signal.frames ? signal_flags(ip, &signal) : 0);
	return e ? e->id : 0;
}

uint32_t python_frames;

static const struct depot_entry *with_python(struct call *c, const struct depot_entry *native)
{
	return python_frames ? python_stack(c, native) : native;
}

uint32_t stack_id_python(struct call *c, const struct depot_entry *native)
{
	const struct depot_entry *e = python_stack(c, native);

	return e ? e->id : 0;
}

uint32_t stack_id_slow(struct call *c, struct context *set)
{
	const struct depot_entry *e = with_python(c, walk(c, set));

	return e ? e->id : 0;
}

const struct depot_entry *stack_entry(struct call *c)
{
	struct context *set = context_set(c->s, c->caller.ip, c->caller.sp);

	for (int way = 0; way < CONTEXT_WAYS; way++) {
		if (context_holds(&set[way], c)) {
			c->context = &set[way];
			return with_python(c, set[way].stack);
		}
	}
	return with_python(c, walk(c, set));
}
