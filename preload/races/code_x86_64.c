/* SPDX-License-Identifier: MIT */
/*
 * code_x86_64.c - instructions of x86-64: their length, flow and memory operand.
 *
 * Prefixes, the escape to one of the maps of opcodes, the row of the opcode (code_x86_64_rows.h), ModRM
 * with SIB and displacement, the tail. Bytes are taken from the front only, each after a look whether
 * it is still there. Source: Intel SDM vol. 2, AMD APM vol. 3.
 */
#include "code_x86_64_rows.h"

#include <string.h>

enum map { MAP_1, MAP_0F, MAP_0F38, MAP_0F3A, MAP_OTHER };

enum encoding { LEGACY, VEX, EVEX };

enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8, MOD_REGISTER = 3, RM_SIB = 4, RM_NO_BASE = 5 };

struct decoder {
	const uint8_t *at, *end; /* what is not decoded yet */
	uint32_t row;
	uint8_t opcode;
	uint8_t map;	  /* enum map */
	uint8_t encoding; /* enum encoding */
	uint8_t prefix;	  /* 0, 1 = 66, 2 = F3, 3 = F2: chooses a row */
	uint8_t rex;
	uint8_t vector; /* bytes; 0 = not defined */
	bool is_16;	/* 66 */
	bool is_locked;
	bool is_masked; /* or one element for all lanes */
	bool is_memory;
};

static bool take_prefixes(struct decoder *d, struct code_instruction *ret)
{
	uint8_t repeat = 0;

	for (; d->at < d->end; d->at++) {
		uint8_t byte = *d->at;

		if ((byte & 0xf0) == 0x40) {
			d->rex = byte;
			continue;
		}
		switch (byte) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			break;
		case 0x64:
		case 0x65:
			ret->segment = byte - 0x60;
			break;
		case 0x66:
			d->is_16 = true;
			break;
		case 0x67:
			ret->is_32 = true;
			break;
		case 0xf0:
			d->is_locked = true;
			break;
		case 0xf2:
			repeat = 3;
			break;
		case 0xf3:
			repeat = 2;
			break;
		default:
			d->prefix = repeat ? repeat : d->is_16;
			return true;
		}
		d->rex = 0; /* counts right before the opcode only */
	}
	return false;
}

/*
 * Behind C5, C4, 62 or 8F. The bits are inverted where said:
 *
 *	C5          ~R ~vvvv L pp
 *	C4, 8F      ~R ~X ~B map:5     W ~vvvv L pp
 *	62          ~R ~X ~B .. map:3  W ~vvvv 1 pp   z LL b .. aaa
 */
static bool take_vex(struct decoder *d, unsigned escape)
{
	unsigned extra = escape == 0xc5 ? 1 : escape == 0x62 ? 3 : 2;
	unsigned map, last;

	if (d->rex || d->prefix || d->is_locked || d->end - d->at <= (ptrdiff_t)extra) {
		return false;
	}
	d->rex = ~d->at[0] >> 5 & (extra == 1 ? REX_R : REX_R | REX_X | REX_B);
	map = extra == 1 ? 1 : d->at[0] & (extra == 3 ? 0x0f : 0x1f);
	last = d->at[extra == 1 ? 0 : 1];
	if (extra > 1 && last & 0x80) {
		d->rex |= REX_W;
	}
	d->prefix = last & 3;
	d->vector = last & 4 ? 32 : 16;
	d->encoding = VEX;
	if (extra == 3) {
		unsigned length = d->at[2] >> 5 & 3;

		if (!(last & 4)) {
			return false;
		}
		d->encoding = EVEX;
		d->vector = length < 3 ? 16 << length : 0;
		d->is_masked = d->at[2] & 0x17;
	}
	d->opcode = d->at[extra];
	d->at += extra + 1;
	if (escape == 0x8f) {
		d->map = MAP_OTHER;
		d->row = M | (map == 8 ? T(1) : map == 10 ? T(FULL) : 0);
		return map <= 10;
	}
	if (map >= 1 && map <= 3) {
		d->map = MAP_0F + map - 1;
		return true;
	}
	d->map = MAP_OTHER;
	d->row = M;
	return extra == 3 && (map == 5 || map == 6);
}

static bool take_opcode(struct decoder *d)
{
	uint8_t byte = *d->at++;
	bool more = d->at < d->end;

	if (byte == 0xc4 || byte == 0xc5 || byte == 0x62 ||
	    (byte == 0x8f && more && (*d->at & 0x1f) >= 8)) {
		return take_vex(d, byte);
	}
	d->map = MAP_1;
	if (byte == 0x0f && more) {
		d->map = MAP_0F;
		byte = *d->at++;
		if (byte == 0x38 || byte == 0x3a) {
			d->map = byte == 0x38 ? MAP_0F38 : MAP_0F3A;
			if (d->at == d->end) {
				return false;
			}
			byte = *d->at++;
		}
	}
	d->opcode = byte;
	return true;
}

/* Does this opcode mean with VEX or EVEX what its row says? In the 0F map some work on masks then. */
static bool is_shared(const struct decoder *d)
{
	/* One bit for eight opcodes: 10 28 50 to 78, a8, c0, d0 to f8. */
	static const uint32_t shared = 0xfd20fc24;

	if (d->encoding == EVEX) {
		/* Elsewhere it widens integers, narrows, moves masks; at c8 are approximations. */
		if (d->map != MAP_0F) {
			return d->prefix == 1 && (d->opcode & 0xf8) != 0xc8;
		}
		if ((d->opcode & 0xfc) == 0x78 || d->opcode == 0xe6) {
			return false;
		}
	}
	return d->encoding == LEGACY || d->map != MAP_0F || shared >> (d->opcode >> 3) & 1;
}

static bool choose_row(struct decoder *d)
{
	switch ((enum map)d->map) {
	case MAP_1:
		d->row = rows_1[d->opcode];
		break;
	case MAP_0F:
		d->row = is_shared(d) ? rows_0f[d->opcode] : M;
		break;
	case MAP_0F38:
		d->row = is_shared(d) ? rows_0f38[d->opcode] | M : M;
		break;
	case MAP_0F3A:
		d->row = (is_shared(d) ? rows_0f3a[d->opcode] | M : M) | T(1);
		break;
	case MAP_OTHER:
		break;
	}
	if (d->row & ROW_BY_PREFIX) {
		d->row = rows_by_prefix[d->row >> ROW_SECOND][d->prefix];
	} else if (d->row & ROW_BY_REG) {
		if (d->at == d->end) {
			return false;
		}
		d->row = rows_by_reg[d->row >> ROW_SECOND][*d->at >> 3 & 7] | ROW_ALONE;
	}
	return !(d->row & ROW_UNDEFINED);
}

static unsigned word_size(const struct decoder *d)
{
	return d->rex & REX_W ? 8 : d->is_16 ? 2 : 4;
}

static unsigned operand_size(const struct decoder *d)
{
	switch ((enum row_size)(d->row & 0x1f)) {
	case Z_UNKNOWN:
		return 0;
	case Z_1:
		return 1;
	case Z_2:
		return 2;
	case Z_4:
		return 4;
	case Z_8:
		return 8;
	case Z_10:
		return 10;
	case Z_16:
		return 16;
	case Z_WORD:
		return word_size(d);
	case Z_LONG:
		return d->rex & REX_W ? 8 : 4;
	case Z_STACK:
		return word_size(d) == 2 ? 2 : 8;
	case Z_PAIR:
		return d->rex & REX_W ? 16 : 8;
	case Z_FULL:
		return d->vector;
	case Z_HALF:
		return d->vector / 2;
	case Z_FOURTH:
		return d->vector / 4;
	case Z_EIGHTH:
		return d->vector / 8;
	case Z_FLOAT:
		return d->prefix == 2 ? 4 : d->prefix == 3 ? 8 : d->vector;
	case Z_MMX:
		return d->prefix ? d->vector : 8;
	case Z_SHIFT:
		return d->prefix ? 16 : 8;
	case Z_UNPACK:
		return d->prefix ? d->vector : 4;
	case Z_DOUBLE:
		return d->vector == 16 ? 8 : d->vector;
	}
	return 0;
}

/* Little-endian and signed. By byte: the compiler would call memcpy for a count it does not know. */
static bool take_number(struct decoder *d, unsigned bytes, int64_t *ret)
{
	uint64_t value = 0;

	if (d->end - d->at < (ptrdiff_t)bytes) {
		return false;
	}
	for (unsigned i = 0; i < bytes; i++) {
		value |= (uint64_t)d->at[i] << (64 - 8 * bytes + 8 * i);
	}
	d->at += bytes;
	*ret = bytes ? (int64_t)value >> (64 - 8 * bytes) : 0;
	return true;
}

/* Of one byte, 4 to 7 are ah to bh where REX is not; those are parts of 0 to 3. */
static unsigned other_register(const struct decoder *d, unsigned reg, unsigned size)
{
	bool is_wide = d->map == MAP_0F && d->opcode != 0xb0 &&
		       d->opcode != 0xc0; /* movzx, movsx */

	if (d->row & (ROW_ALONE | ROW_VECTOR)) {
		return CODE_NO_REGISTER;
	}
	if (size == 1 && !d->rex && d->map != MAP_0F38 && !is_wide) {
		return reg & 3;
	}
	return reg | (d->rex & REX_R ? 8 : 0);
}

static bool take_modrm(struct decoder *d, struct code_instruction *ret)
{
	unsigned byte, mod, rm;

	if (d->at == d->end) {
		return false;
	}
	byte = *d->at++;
	mod = d->row & ROW_CONTROL ? MOD_REGISTER : byte >> 6;
	rm = byte & 7;
	if (mod == MOD_REGISTER) {
		return true;
	}
	if (d->row & ROW_REGISTER) {
		return false;
	}
	d->is_memory = true;
	ret->other = other_register(d, byte >> 3 & 7, ret->size);
	if (rm == RM_SIB) {
		unsigned index;

		if (d->at == d->end) {
			return false;
		}
		byte = *d->at++;
		rm = byte & 7;
		index = (byte >> 3 & 7) | (d->rex & REX_X ? 8 : 0);
		if (index != RM_SIB) {
			ret->index = index;
			ret->scale = 1 << (byte >> 6);
		}
		if (mod || rm != RM_NO_BASE) {
			ret->base = rm | (d->rex & REX_B ? 8 : 0);
		}
	} else if (mod || rm != RM_NO_BASE) {
		ret->base = rm | (d->rex & REX_B ? 8 : 0);
	} else {
		ret->base = CODE_IP;
	}
	if (!take_number(d,
			 mod == 1			? 1
			 : mod == 2 || rm == RM_NO_BASE ? 4
							: 0,
			 &ret->displacement)) {
		return false;
	}
	if (mod == 1 && d->encoding == EVEX) {
		ret->displacement *= ret->size; /* as wide as the operand is */
	}
	return true;
}

/* Of a row's tail; `ret` as a number, where it is one. */
static bool take_tail(struct decoder *d, bool is_32, int64_t *ret)
{
	switch ((enum row_tail)(d->row >> ROW_TAIL & 0xf)) {
	case T_NONE:
		return true;
	case T_1:
	case T_NEAR:
		return take_number(d, 1, ret);
	case T_2:
		return take_number(d, 2, ret);
	case T_3:
		return take_number(d, 3, ret);
	case T_FULL:
	case T_BEGIN:
		return take_number(d, word_size(d) == 2 ? 2 : 4, ret);
	case T_WORD:
		return take_number(d, word_size(d), ret);
	case T_OFFSET:
		d->is_memory = true;
		return take_number(d, is_32 ? 4 : 8, ret);
	case T_FAR:
		return take_number(d, 4, ret);
	}
	return false;
}

bool code_decode(const uint8_t *code, size_t bytes, uintptr_t pc, struct code_instruction *ret)
{
	struct decoder d = { .at = code, .vector = 16 };
	int64_t number = 0;
	unsigned tail;

	memset(ret, 0, sizeof(*ret));
	ret->base = ret->index = ret->other = CODE_NO_REGISTER;
	ret->scale = 1;
	d.end = code + (bytes < CODE_MOST_BYTES ? bytes : CODE_MOST_BYTES);
	if (!take_prefixes(&d, ret) || !take_opcode(&d) || !choose_row(&d)) {
		return false;
	}
	ret->access = d.row >> ROW_ACCESS & 3;
	ret->size = operand_size(&d);
	if (((d.row & ROW_MODRM) && !take_modrm(&d, ret)) || !take_tail(&d, ret->is_32, &number)) {
		return false;
	}
	ret->length = d.at - code;
	ret->flow = d.row >> ROW_FLOW & 7;
	ret->is_string = d.row & ROW_STRING;
	ret->is_vector = d.row & ROW_VECTOR;
	ret->is_atomic = d.is_locked || (d.row & ROW_EXCHANGE && d.is_memory);
	if (!d.is_memory || d.is_masked) {
		ret->access = ret->size = 0;
	}
	if (d.is_locked && ret->access != (CODE_READS | CODE_WRITES)) {
		return false;
	}
	tail = d.row >> ROW_TAIL & 0xf;
	if (tail >= T_NEAR) {
		ret->target = pc + ret->length + (uintptr_t)number;
	} else if (tail == T_OFFSET) {
		ret->displacement = number;
		ret->other = 0;
	}
	/* pop: from the stack pointer as it leaves it. */
	if ((d.row & 0x1f) == Z_STACK && ret->access == CODE_WRITES && ret->base == RM_SIB) {
		ret->displacement += ret->size;
	}
	return true;
}

uintptr_t code_address(const struct code_instruction *i, const struct code_registers *r)
{
	uintptr_t address = (uintptr_t)i->displacement;

	if (!i->size || i->segment) {
		return 0;
	}
	if (i->base == CODE_IP) {
		address += r->ip + i->length;
	} else if (i->base != CODE_NO_REGISTER) {
		address += r->r[i->base];
	}
	if (i->index != CODE_NO_REGISTER) {
		address += r->r[i->index] * i->scale;
	}
	return i->is_32 ? (uint32_t)address : address;
}

/* FF /2 with a register: 41 before it where that is one of the upper eight. */
uintptr_t code_called(const uint8_t *code, const struct code_instruction *i,
		      const struct code_registers *r)
{
	uint8_t last = code[i->length - 1];

	if (i->flow != CODE_CALL || i->access || i->length < 2 || i->length > 3 ||
	    code[i->length - 2] != 0xff || (last & 0xf8) != 0xd0) {
		return 0;
	}
	return r->r[(last & 7) | (i->length == 3 && code[0] & 1 ? 8 : 0)];
}

bool code_before(uintptr_t start, uintptr_t end, struct code_instruction *ret, uintptr_t *ret_pc)
{
	struct code_instruction i;

	for (uintptr_t pc = start; pc < end; pc += i.length) {
		if (!code_decode((const uint8_t *)pc, end - pc, pc, &i)) {
			return false;
		}
		if (pc + i.length == end) {
			*ret = i;
			*ret_pc = pc;
			return true;
		}
	}
	return false;
}
