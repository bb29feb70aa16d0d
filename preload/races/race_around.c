/* SPDX-License-Identifier: MIT */
/*
 * race_around.c - what the code around an access says of it: that it changes what it read, that atomic instructions are near.
 */
#include "races.h"

enum { NEAR = 12, CALLEES = 8 };

static bool is_same_place(const struct code_instruction *a, const struct code_instruction *b,
			  uintptr_t pc_a, uintptr_t pc_b)
{
	if (a->size != b->size || a->base != b->base || a->index != b->index ||
	    a->scale != b->scale) {
		return false;
	}
	return a->base == CODE_IP ? pc_a + a->length + (uintptr_t)a->displacement ==
					    pc_b + b->length + (uintptr_t)b->displacement
				  : a->displacement == b->displacement;
}

static bool is_load(const struct code_instruction *i)
{
	return i->access == CODE_READS && i->other != CODE_NO_REGISTER && i->other != i->base &&
	       i->other != i->index;
}

/*
 * Is there, a few instructions on and with no call or branch between, a store to where the load at `pc` reads, or before a store such a
 * load? Then the two together change what is there.
 */
static bool is_change(const uint8_t *text, const struct race_text *t,
		      const struct code_instruction *at, uintptr_t at_pc)
{
	struct {
		struct code_instruction i;
		uintptr_t pc;
	} last[NEAR];
	uint32_t count = 0, left = 0;
	struct code_instruction i;

	for (uintptr_t pc = t->start; pc < t->end; pc += i.length) {
		if (!code_decode(text + (pc - t->start), t->end - pc, pc, &i)) {
			return false;
		}
		if (pc == at_pc && at->access == CODE_WRITES) {
			for (uint32_t k = 0; k < count && k < NEAR; k++) {
				if (is_load(&last[k].i) &&
				    is_same_place(&last[k].i, at, last[k].pc, at_pc)) {
					return true;
				}
			}
			return false;
		}
		if (left && --left) {
			if (i.access == CODE_WRITES && is_same_place(&i, at, pc, at_pc)) {
				return true;
			}
		}
		if (pc == at_pc) {
			left = NEAR;
		} else if (pc > at_pc && !left) {
			return false;
		}
		if (i.flow != CODE_NEXT || i.is_atomic) {
			count = 0;
			if (pc > at_pc) {
				return false;
			}
			continue;
		}
		last[count++ % NEAR].i = i;
		last[(count - 1) % NEAR].pc = pc;
	}
	return false;
}

static bool has_atomics(const uint8_t *text, const struct race_text *t)
{
	struct code_instruction i;

	for (uintptr_t pc = t->start; pc < t->end; pc += i.length) {
		if (!code_decode(text + (pc - t->start), t->end - pc, pc, &i)) {
			break;
		}
		if (i.is_atomic) {
			return true;
		}
	}
	return false;
}

uint32_t race_look_around(struct races *r, const struct code_instruction *i, uintptr_t pc)
{
	uint32_t touch = 0;
	struct race_text t;

	if (i->access == (CODE_READS | CODE_WRITES) || atomic_exchange(&r->choosing, 1)) {
		return 0;
	}
	if (race_read_text(r, pc, &t) && t.start <= pc) {
		touch = is_change(r->text, &t, i, pc) ? TRACE_TOUCH_CHANGES : 0;
	}
	atomic_store(&r->choosing, 0);
	return touch;
}

/* Has the function, or one that it calls directly, an atomic instruction? */
static bool is_near_atomics(struct races *r, uintptr_t ip)
{
	uintptr_t callee[CALLEES];
	struct code_instruction i;
	uint32_t count = 0;
	struct race_text t;

	if (!race_is_scope(ip - 1) || !race_read_text(r, ip - 1, &t)) {
		return false;
	}
	for (uintptr_t pc = t.start; pc < t.end; pc += i.length) {
		if (!code_decode(r->text + (pc - t.start), t.end - pc, pc, &i)) {
			break;
		}
		if (i.is_atomic) {
			return true;
		}
		if (i.flow == CODE_CALL && i.target && count < CALLEES) {
			callee[count++] = i.target;
		}
	}
	for (uint32_t k = 0; k < count; k++) {
		if (race_read_text(r, callee[k], &t) && has_atomics(r->text, &t)) {
			return true;
		}
	}
	return false;
}

uint32_t race_look_near(struct races *r, const uintptr_t *ip, uint32_t frames)
{
	bool is_near = false;

	/* Who cannot look says the less. */
	if (atomic_exchange(&r->choosing, 1)) {
		return TRACE_TOUCH_NEAR_ATOMIC;
	}
	for (uint32_t i = 0; i < frames && !is_near; i++) {
		is_near = ip[i] && is_near_atomics(r, ip[i]);
	}
	atomic_store(&r->choosing, 0);
	return is_near ? TRACE_TOUCH_NEAR_ATOMIC : 0;
}
