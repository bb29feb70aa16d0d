/* SPDX-License-Identifier: MIT */
/*
 * race_static.c - functions that touch variables of the program: those with a place of their own in its text.
 *
 * Most of what instructions touch is one thread's own, reached by a pointer; what is named in the text is there for every thread. Such
 * instructions are rare, often in small functions that no sample falls into. So all functions that ran, and what these call directly, are
 * looked through once, a few at each turn.
 */
#include "races.h"

enum {
	LOOKS = 4,	/* at a turn */
	STEPS = 32,	/* of the table of functions that ran, at a turn */
	LEVELS = 2,	/* of calls */
	OF_WRITTEN = 8, /* as likely as a read of what no code that was looked through writes */
	COLD = 16,	/* as often chosen as one that was reached */
	COMPARED = 6,
};

static uintptr_t *place_of(uintptr_t *table, uint32_t count, uintptr_t key)
{
	return &table[(key * 0x9e3779b97f4a7c15u >> 32) % count];
}

/* 0 = by a register, or no variable that can be written. */
static uintptr_t variable_of(const struct code_instruction *i, uintptr_t pc)
{
	const struct code_registers at = { .ip = pc };
	struct code_instruction flat = *i;
	const struct module *m;
	uintptr_t address;

	if (!i->access || !i->size || i->segment || i->is_atomic || i->is_32 ||
	    i->flow != CODE_NEXT || (i->base != CODE_IP && i->base != CODE_NO_REGISTER)) {
		return 0;
	}
	flat.index = CODE_NO_REGISTER; /* an array's first */
	address = code_address(&flat, &at);
	m = address ? module_known(address) : NULL;
	return m && m->is_program && address >= m->data && address < m->data_end ? address : 0;
}

static void look_later(struct races *r, uintptr_t start, uint32_t levels)
{
	if (*place_of(r->looked, RACE_LOOKED, start) != start && r->look_at_count < RACE_LOOK_AT) {
		r->look_at[r->look_at_count].start = start;
		r->look_at[r->look_at_count++].levels = levels;
	}
}

static void add(struct races *r, uintptr_t start)
{
	uint32_t at = r->static_count;

	for (uint32_t i = 0; i < r->static_count; i++) {
		if (r->statics[i].start == start) {
			return;
		}
	}
	if (at < RACE_STATICS) {
		r->static_count++;
	} else {
		at = race_next_random(r) % RACE_STATICS;
	}
	r->statics[at] = (struct race_static){ .start = start };
}

/* Once: what it writes, whether it is one of those, and whom it calls. */
static bool look_through(struct races *r, uintptr_t address, uint32_t levels)
{
	bool is_static = false;
	struct code_instruction i;
	uintptr_t start, end;
	struct race_text t;

	if (!unwind_bounds(address + 1, &start, &end) ||
	    *place_of(r->looked, RACE_LOOKED, start) == start) {
		return false;
	}
	*place_of(r->looked, RACE_LOOKED, start) = start;
	if (!race_read_text(r, address, &t)) {
		return true;
	}
	for (uintptr_t pc = t.start; pc < t.end; pc += i.length) {
		uintptr_t variable;

		if (!code_decode(r->text + (pc - t.start), t.end - pc, pc, &i)) {
			break;
		}
		variable = variable_of(&i, pc);
		is_static |= variable != 0;
		if (variable && i.access & CODE_WRITES) {
			*place_of(r->written, RACE_VARIABLES, variable) = variable;
		}
		if (levels && i.target && (i.flow == CODE_CALL || i.flow == CODE_JUMP) &&
		    (i.target < t.start || i.target >= t.end) && race_is_scope(i.target)) {
			look_later(r, i.target, levels - 1);
		}
	}
	if (is_static) {
		add(r, start);
	}
	return true;
}

void race_static_look(struct races *r)
{
	int looks = 0;

	for (; r->look_at_count && looks < LOOKS; looks++) {
		r->look_at_count--;
		look_through(r, r->look_at[r->look_at_count].start,
			     r->look_at[r->look_at_count].levels);
	}
	for (int i = 0; i < STEPS && looks < LOOKS; i++) {
		struct race_function *f = &r->function[r->look_from++ % RACE_FUNCTIONS];
		uintptr_t start = atomic_load_explicit(&f->start, memory_order_relaxed);

		if (start && *place_of(r->looked, RACE_LOOKED, start) != start) {
			looks += look_through(r, start, LEVELS);
		}
	}
	if (looks < LOOKS) {
		uintptr_t address = race_recent_call(r);

		if (address) {
			look_through(r, address, LEVELS);
		}
	}
}

static uintptr_t choose_in(struct races *r, uintptr_t start, uint64_t now_ns)
{
	uint32_t weights = 0;
	uintptr_t chosen = 0;
	struct code_instruction i;
	struct race_text t;

	if (!race_read_text(r, start, &t)) {
		return 0;
	}
	for (uintptr_t pc = t.start; pc < t.end; pc += i.length) {
		uintptr_t variable;
		uint32_t weight;

		if (!code_decode(r->text + (pc - t.start), t.end - pc, pc, &i)) {
			break;
		}
		variable = variable_of(&i, pc);
		if (!variable || !race_is_rested(r, pc, now_ns)) {
			continue;
		}
		weight = *place_of(r->written, RACE_VARIABLES, variable) == variable ? OF_WRITTEN
										     : 1;
		weights += weight;
		chosen = race_next_random(r) % weights < weight ? pc : chosen;
	}
	return chosen;
}

uintptr_t race_static_choose(struct races *r, uint64_t now_ns)
{
	uint32_t best = 0;
	uintptr_t site;

	r->static_chosen = 0;
	for (int i = 0; i < COMPARED && r->static_count; i++) {
		uint32_t at = race_next_random(r) % r->static_count;

		best = i == 0 || r->statics[at].choices < r->statics[best].choices ? at : best;
	}
	if (!r->static_count) {
		return 0;
	}
	r->statics[best].choices++;
	site = choose_in(r, r->statics[best].start, now_ns);
	r->static_chosen = site ? best + 1 : 0;
	return site;
}

void race_static_is_cold(struct races *r)
{
	if (r->static_chosen) {
		r->statics[r->static_chosen - 1].choices += COLD;
	}
	r->static_chosen = 0;
}
