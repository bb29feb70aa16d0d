/* SPDX-License-Identifier: MIT */
/*
 * tsan_access.c - what compilers call around plain memory accesses and functions. Safety class HOT.
 */
#include "tsan.h"

/* ---- functions ---- */

EXPORT void __tsan_func_entry(void *pc)
{
	struct lane *t = lane_get();
	uintptr_t sp = CALLER_SP();
	uint32_t d = t->depth;

	/* Deeper frames than the one that is entered: a longjmp or an exception left them. */
	while (unlikely(d && d <= DEPTH && sp - t->stack[d - 1].sp - 1 < STACK_SPAN)) {
		d--;
	}
	if (unlikely(d < t->valid)) {
		t->valid = d;
	}
	if (likely(d < DEPTH)) {
		t->stack[d] = (struct call_frame){ (uintptr_t)pc, sp };
	}
	t->depth = d + 1;
}

EXPORT void __tsan_func_exit(void)
{
	struct lane *t = lane_get();
	uint32_t d = t->depth;

	if (likely(d)) {
		t->depth = --d;
		if (t->valid > d) {
			t->valid = d;
		}
	}
}

/* ---- accesses ---- */

/* After the first WHOLE executions bursts of 64, with pauses that double whenever their number has. */
static void thin_out(struct lane *t, uintptr_t pc)
{
	struct place *p = &t->places[(pc ^ pc >> 12) % PC_SETS][0];
	unsigned sparse;

	p += p->pc != (uint32_t)pc;
	if (likely(p->count < tsan_whole)) {
		return;
	}
	if (!p->met) {
		tsan_header->thinned = 1;
	}
	if (p->count - p->met != 1 && p->met && t->chunk) {
		t->chunk->left_out += p->count - p->met - 1;
	}
	p->met = p->count;
	sparse = 32 - (unsigned)__builtin_clz(p->count / WHOLE);
	p->skip = ((1u << (sparse < SPARSEST ? sparse : SPARSEST)) - 1) * 64;
}

void access_record(struct lane *t, uintptr_t address, unsigned kind, unsigned bytes, uintptr_t pc,
		   uintptr_t sp)
{
	thin_out(t, pc);
	if (unlikely(lane_is_behind(t))) {
		lane_context(t, sp);
	}
	if (!(kind & (TM_ATOMIC | TM_FREE)) && filter(t, address, kind, bytes)) {
		return;
	}
	record_put(reserve(t, 1), TM_A(TM_ACCESS | kind, bytes, address),
		   TM_B(generation(address), pc));
}

#define NOTE(address, kind, bytes) \
	access_note((uintptr_t)(address), kind, bytes, CALLER_PC(), CALLER_SP())

/* May lie across a border of 16 bytes, where generations change: two records then. */
static hot_inline void note_odd(uintptr_t a, unsigned kind, unsigned bytes, uintptr_t pc,
				uintptr_t sp)
{
	unsigned room = 16 - a % 16;

	if (likely(bytes <= room)) {
		access_note(a, kind, bytes, pc, sp);
	} else {
		access_range(a, bytes, kind, pc, sp);
	}
}
#define NOTE_ODD(address, kind, bytes) \
	note_odd((uintptr_t)(address), kind, bytes, CALLER_PC(), CALLER_SP())

#define ACCESS(name, kind, bytes)                                                         \
	EXPORT void name(void *address)                                                   \
	{                                                                                 \
		NOTE(address, kind, bytes);                                               \
	}                                                                                 \
	EXPORT void name##_pc(void *address, void *pc)                                    \
	{                                                                                 \
		access_note((uintptr_t)address, kind, bytes, (uintptr_t)pc, CALLER_SP()); \
	}
#define ODD(name, kind, bytes)                  \
	EXPORT void name(void *address)         \
	{                                       \
		NOTE_ODD(address, kind, bytes); \
	}

#define SIZE(n)                                                   \
	ACCESS(__tsan_read##n, TM_READ, n)                        \
	ACCESS(__tsan_write##n, TM_WRITE, n)                      \
	ACCESS(__tsan_read_write##n, TM_READ | TM_WRITE, n)       \
	ACCESS(__tsan_volatile_read##n, TM_READ | TM_VOLATILE, n) \
	ACCESS(__tsan_volatile_write##n, TM_WRITE | TM_VOLATILE, n)
#define ODD_SIZE(n)                                                      \
	ODD(__tsan_unaligned_read##n, TM_READ, n)                        \
	ODD(__tsan_unaligned_write##n, TM_WRITE, n)                      \
	ODD(__tsan_unaligned_read_write##n, TM_READ | TM_WRITE, n)       \
	ODD(__tsan_unaligned_volatile_read##n, TM_READ | TM_VOLATILE, n) \
	ODD(__tsan_unaligned_volatile_write##n, TM_WRITE | TM_VOLATILE, n)

SIZE(1)
SIZE(2)
SIZE(4)
SIZE(8)
ODD_SIZE(1)
ODD_SIZE(2)
ODD_SIZE(4)
ODD_SIZE(8)
ODD_SIZE(16)
/* Compilers call these for what is aligned to 8 only, too. */
ODD(__tsan_read16, TM_READ, 16)
ODD(__tsan_write16, TM_WRITE, 16)
EXPORT void __tsan_read16_pc(void *address, void *pc)
{
	note_odd((uintptr_t)address, TM_READ, 16, (uintptr_t)pc, CALLER_SP());
}
EXPORT void __tsan_write16_pc(void *address, void *pc)
{
	note_odd((uintptr_t)address, TM_WRITE, 16, (uintptr_t)pc, CALLER_SP());
}
ODD(__tsan_read_write16, TM_READ | TM_WRITE, 16)
ODD(__tsan_volatile_read16, TM_READ | TM_VOLATILE, 16)
ODD(__tsan_volatile_write16, TM_WRITE | TM_VOLATILE, 16)

EXPORT void __tsan_vptr_read(void **address)
{
	NOTE(address, TM_READ | TM_VPTR, 8);
}

/* The same value again changes nothing that anyone can see: constructors of a class and its base. */
EXPORT void __tsan_vptr_update(void **address, void *value)
{
	if (*address != value) {
		NOTE(address, TM_WRITE | TM_VPTR, 8);
	}
}

void access_first(uintptr_t address, unsigned kind, unsigned bytes, uintptr_t pc, uintptr_t sp)
{
	struct lane *t = lane_get();

	if (t->on && sample(t, pc)) {
		access_record(t, address, kind, bytes, pc, sp);
	}
}

/* ---- ranges ---- */

void access_range_sampled(struct lane *t, uintptr_t address, size_t bytes, unsigned kind,
			  uintptr_t pc, uintptr_t sp)
{
	enum { PIECES = 64 };
	uintptr_t end = address + (bytes < TM_RANGE_MOST ? bytes : TM_RANGE_MOST);

	thin_out(t, pc);
	if (lane_is_behind(t)) {
		lane_context(t, sp);
	}
	for (unsigned n = 0; address < end && n < PIECES; n++) {
		unsigned g = generation(address);
		uintptr_t stop = (address | 15) + 1;
		struct tm_record *r;

		while (stop < end && generation(stop) == g) {
			stop += 16;
		}
		stop = stop < end ? stop : end;
		if (stop - address <= 16) {
			record_put(reserve(t, 1), TM_A(TM_ACCESS | kind, stop - address, address),
				   TM_B(g, pc));
		} else {
			r = reserve(t, 2);
			record_put(r, TM_A(TM_LENGTH, 0, stop - address), 0);
			record_put(r + 1, TM_A(TM_ACCESS | kind, 0, address), TM_B(g, pc));
		}
		address = stop;
	}
}

void access_range(uintptr_t address, size_t bytes, unsigned kind, uintptr_t pc, uintptr_t sp)
{
	struct lane *t = lane_get();

	if (t->on && bytes && sample(t, pc)) {
		access_range_sampled(t, address, bytes, kind, pc, sp);
	}
}

EXPORT void __tsan_read_range(void *address, size_t bytes)
{
	access_range((uintptr_t)address, bytes, TM_READ, CALLER_PC(), CALLER_SP());
}
EXPORT void __tsan_write_range(void *address, size_t bytes)
{
	access_range((uintptr_t)address, bytes, TM_WRITE, CALLER_PC(), CALLER_SP());
}
EXPORT void __tsan_read_range_pc(void *address, size_t bytes, void *pc)
{
	access_range((uintptr_t)address, bytes, TM_READ, (uintptr_t)pc, CALLER_SP());
}
EXPORT void __tsan_write_range_pc(void *address, size_t bytes, void *pc)
{
	access_range((uintptr_t)address, bytes, TM_WRITE, (uintptr_t)pc, CALLER_SP());
}
