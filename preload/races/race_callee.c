/* SPDX-License-Identifier: MIT */
/*
 * race_callee.c - memcpy and its like as accesses: of the call, in the program, whose registers say what is about to be touched.
 *
 * No function of libc is interposed for it: a call that is not stopped at costs nothing, and one inside libc is none of the program's.
 * What a call leads to is read off the procedure linkage table: its entry jumps through a place that the module's relocations name.
 */
#include "races.h"

enum { NO_REGISTER = 16, RDX = 2, RSI = 6, RDI = 7, STUB_BYTES = 16, LONGEST = 1 << 20 };

/* A piece that an argument points to. Without a count, its first byte at least. */
struct piece {
	uint8_t at, count; /* registers, as instructions number them */
};
#define PIECE(at, count)  \
	{                 \
		at, count \
	}
#define NO_PIECE                         \
	{                                \
		NO_REGISTER, NO_REGISTER \
	}
#define FIRST_BYTE(at)          \
	{                       \
		at, NO_REGISTER \
	}

static const struct row {
	char name[16];
	struct piece writes, reads;
} rows[] = {
	{ "", NO_PIECE, NO_PIECE },
	{ "memcpy", PIECE(RDI, RDX), PIECE(RSI, RDX) },
	{ "memmove", PIECE(RDI, RDX), PIECE(RSI, RDX) },
	{ "mempcpy", PIECE(RDI, RDX), PIECE(RSI, RDX) },
	{ "__memcpy_chk", PIECE(RDI, RDX), PIECE(RSI, RDX) },
	{ "__memmove_chk", PIECE(RDI, RDX), PIECE(RSI, RDX) },
	{ "__mempcpy_chk", PIECE(RDI, RDX), PIECE(RSI, RDX) },
	{ "memset", PIECE(RDI, RDX), NO_PIECE },
	{ "__memset_chk", PIECE(RDI, RDX), NO_PIECE },
	{ "bzero", PIECE(RDI, RSI), NO_PIECE },
	{ "strncpy", PIECE(RDI, RDX), NO_PIECE },
	{ "__strncpy_chk", PIECE(RDI, RDX), NO_PIECE },
	{ "strcpy", FIRST_BYTE(RDI), FIRST_BYTE(RSI) },
	{ "stpcpy", FIRST_BYTE(RDI), FIRST_BYTE(RSI) },
	{ "__strcpy_chk", FIRST_BYTE(RDI), FIRST_BYTE(RSI) },
	{ "__stpcpy_chk", FIRST_BYTE(RDI), FIRST_BYTE(RSI) },
	{ "strlen", NO_PIECE, FIRST_BYTE(RDI) },
	{ "strchr", NO_PIECE, FIRST_BYTE(RDI) },
	{ "strcmp", NO_PIECE, FIRST_BYTE(RDI) },
	{ "strdup", NO_PIECE, FIRST_BYTE(RDI) },
	{ "__strdup", NO_PIECE, FIRST_BYTE(RDI) },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint32_t row_of_name(const char *name)
{
	for (uint32_t i = 1; name && i < ROWS; i++) {
		const char *a = rows[i].name, *b = name;

		while (*a && *a == *b) {
			a++;
			b++;
		}
		if (*a == *b) {
			return i;
		}
	}
	return 0;
}

/* An entry of the linkage table: endbr64 or not, then a jump through a place that is relative to it. */
static uint32_t row_of_stub(uintptr_t target)
{
	static const uint8_t landing[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	uint8_t code[STUB_BYTES];
	struct code_instruction i;
	uint32_t skip = 0;

	if (!module_read(target, code, sizeof(code))) {
		return 0;
	}
	skip = __builtin_memcmp(code, landing, sizeof(landing)) == 0 ? sizeof(landing) : 0;
	if (!code_decode(code + skip, sizeof(code) - skip, target + skip, &i) ||
	    i.flow != CODE_JUMP || i.target || i.base != CODE_IP) {
		return 0;
	}
	return row_of_name(
		shim_resolve_slot_name(target + skip + i.length + (uintptr_t)i.displacement));
}

bool race_is_callee(struct races *r, uintptr_t target)
{
	struct race_callee *e = &r->callee[(target * 0x9e3779b97f4a7c15u >> 32) % RACE_CALLEES];

	if (e->target != target) {
		*e = (struct race_callee){ target, row_of_stub(target) };
	}
	return e->row != 0;
}

/* Nothing where the call does not have it. */
static bool take(const struct piece *p, const struct code_registers *g, uint32_t random,
		 bool is_write, struct race_access *ret)
{
	uint64_t bytes;

	if (p->at == NO_REGISTER) {
		return false;
	}
	bytes = p->count == NO_REGISTER ? 1 : g->r[p->count];
	if (!bytes || bytes > LONGEST) {
		return false;
	}
	ret->is_write = is_write;
	ret->address = g->r[p->at];
	ret->touch = (is_write ? TRACE_TOUCH_WRITE : TRACE_TOUCH_READ) | TRACE_TOUCH_CALLED |
		     (uint32_t)bytes << TRACE_TOUCH_SIZE_SHIFT;
	/* One move each, if any, for what is of such a size and lies so. */
	if (p->count == NO_REGISTER || bytes > 8 || bytes & (bytes - 1) || ret->address % bytes) {
		ret->touch |= TRACE_TOUCH_WIDE;
	}
	ret->bytes = bytes;
	if (bytes > 8) { /* any of its words */
		uint64_t at = random % bytes;

		at = (ret->address + at) / 8 * 8 < ret->address
			     ? 0
			     : (ret->address + at) / 8 * 8 - ret->address;
		ret->address += at;
		ret->bytes -= at;
	}
	return true;
}

bool race_callee_access(struct races *r, const struct code_instruction *i,
			const struct code_registers *g, struct race_access *ret)
{
	uint32_t row = i->target ? row_of_stub(i->target)
		       : i->access && i->base == CODE_IP
			       ? row_of_name(shim_resolve_slot_name(code_address(i, g)))
			       : 0;
	uint32_t random = race_random(r);
	bool first = random & 1; /* of the two */

	random >>= 1;
	return row && (take(first ? &rows[row].writes : &rows[row].reads, g, random, first, ret) ||
		       take(first ? &rows[row].reads : &rows[row].writes, g, random, !first, ret));
}
