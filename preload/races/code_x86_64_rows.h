/* SPDX-License-Identifier: MIT */
/*
 * code_x86_64_rows.h - the opcodes of x86-64, one row each: what follows, what its memory operand is, where it leads.
 *
 * For code_x86_64.c alone. Where the prefix or the reg field of ModRM decides, the row names one of a
 * second table. VEX shares the rows of the legacy encodings: they agree wherever both exist. Of EVEX
 * what agrees with a row is described, which all plain moves do; of XOP the length alone.
 */
#ifndef THRUM_RACES_CODE_X86_64_ROWS_H
#define THRUM_RACES_CODE_X86_64_ROWS_H

#include "code.h"

/* Bytes of the memory operand. */
enum row_size {
	Z_UNKNOWN,
	Z_1,
	Z_2,
	Z_4,
	Z_8,
	Z_10,
	Z_16,
	Z_WORD,	  /* 4; 8 by REX.W, 2 by 66 */
	Z_LONG,	  /* 4; 8 by W */
	Z_STACK,  /* 8; 2 by 66 without W */
	Z_PAIR,	  /* 8; 16 by W */
	Z_FULL,	  /* a vector: 16 32 64 */
	Z_HALF,	  /* of a vector */
	Z_FOURTH, /* of a vector */
	Z_EIGHTH, /* of a vector */
	Z_FLOAT,  /* packed a vector; by F3 4, by F2 8 */
	Z_MMX,	  /* 8 without a prefix, else a vector */
	Z_SHIFT,  /* 8 without a prefix, else 16: a count for all lanes */
	Z_UNPACK, /* 4 without a prefix, else a vector */
	Z_DOUBLE, /* 8 into 16, else a vector */
};

/* What stands behind ModRM. */
enum row_tail {
	T_NONE,
	T_1,
	T_2,
	T_3,
	T_FULL,	  /* 4; 2 by 66 */
	T_WORD,	  /* as Z_WORD */
	T_OFFSET, /* an address */
	T_NEAR,	  /* 1, relative to the next instruction */
	T_FAR, /* 4, the same; 66 does not cut it (Intel; AMD differs, compilers write REX.W with it) */
	T_BEGIN, /* T_FULL, the same */
};

/*
 *  31    24  23..15          14..12  11..8   7      6..5    4..0
 *  second    the bits below   flow    tail    ModRM  access  size
 */
enum row_bit {
	ROW_ACCESS = 5,
	ROW_MODRM = 1 << 7,
	ROW_TAIL = 8,
	ROW_FLOW = 12,
	ROW_ALONE = 1 << 15, /* no operand but the one of memory: reg is no general register */
	ROW_VECTOR = 1 << 16,
	ROW_STRING = 1 << 17,
	ROW_UNDEFINED = 1 << 18,
	ROW_EXCHANGE = 1 << 19, /* atomic without LOCK */
	ROW_REGISTER = 1 << 20, /* not defined with memory */
	ROW_CONTROL = 1 << 21,	/* mod is ignored: always a register */
	ROW_BY_PREFIX = 1 << 22,
	ROW_BY_REG = 1 << 23,
	ROW_SECOND = 24,
};

#define __ ROW_UNDEFINED
#define NO 0 /* the opcode is all */
#define M ROW_MODRM
#define R(size) (M | CODE_READS << ROW_ACCESS | Z_##size)
#define W(size) (M | CODE_WRITES << ROW_ACCESS | Z_##size)
#define RW(size) (M | (CODE_READS | CODE_WRITES) << ROW_ACCESS | Z_##size)
#define VR(size) (ROW_VECTOR | R(size))
#define VW(size) (ROW_VECTOR | W(size))
#define T(tail) ((T_##tail) << ROW_TAIL)
#define FLOW(flow) (CODE_##flow << ROW_FLOW)
#define REG (M | ROW_REGISTER)
#define VREG (ROW_VECTOR | REG)
#define CTL (M | ROW_CONTROL)
#define STR ROW_STRING
#define ALONE(row) (ROW_ALONE | (row))
#define AT(row) (((row) ^ M) | T(OFFSET))
#define PRE(second) (ROW_BY_PREFIX | P_##second << ROW_SECOND)
#define GRP(second) (ROW_BY_REG | M | G_##second << ROW_SECOND)
#define TWICE(row) row, row
#define FOUR(row) row, row, row, row
#define EIGHT(row) FOUR(row), FOUR(row)
#define BUT_LAST(row, last) FOUR(row), TWICE(row), row, last
#define WIDENING VR(HALF), VR(FOURTH), VR(EIGHTH), VR(HALF), VR(FOURTH), VR(HALF)
#define FUSED VR(FULL), VR(LONG), VR(FULL), VR(LONG), VR(FULL), VR(LONG), VR(FULL), VR(LONG)
#define FUSED_4 VR(FULL), VR(FULL), VR(4), VR(8)
#define ARITHMETIC RW(1), RW(WORD), R(1), R(WORD), T(1), T(FULL)

enum by_prefix {
	P_MOVLPS,
	P_MOVHPS,
	P_CVTPI2PS,
	P_CVTPS2PI,
	P_COMISS,
	P_CVTPS2PD,
	P_CVTPD2DQ,
	P_MOVD,
	P_MOVQ,
	P_VMREAD,
	P_VMWRITE,
	P_POPCNT,
	P_AES,
	P_CRC32_BYTE,
	P_CRC32,
	P_PEXT,
	P_MULX,
};

/* Without, 66, F3, F2: as VEX numbers them. */
static const uint32_t rows_by_prefix[][4] = {
	[P_MOVLPS] = { VR(8), VR(8), VR(FULL), VR(DOUBLE) },
	[P_MOVHPS] = { VR(8), VR(8), VR(FULL), __ },
	[P_CVTPI2PS] = { VR(8), VR(8), VR(LONG), VR(LONG) },
	[P_CVTPS2PI] = { VR(8), VR(FULL), R(4), R(8) },
	[P_COMISS] = { VR(4), VR(8), __, __ },
	[P_CVTPS2PD] = { VR(HALF), VR(FULL), VR(4), VR(8) },
	[P_CVTPD2DQ] = { __, VR(FULL), VR(HALF), VR(FULL) },
	[P_MOVD] = { VW(LONG), VW(LONG), VR(8), __ },
	[P_MOVQ] = { __, VW(8), REG, REG },
	[P_VMREAD] = { W(8), REG | T(2), __, REG | T(2) },
	[P_VMWRITE] = { R(8), REG, __, REG },
	[P_POPCNT] = { __, __, R(WORD), __ },
	[P_AES] = { M, VR(FULL), M, M },
	[P_CRC32_BYTE] = { R(WORD), R(WORD), __, R(1) },
	[P_CRC32] = { W(WORD), W(WORD), __, R(WORD) },
	[P_PEXT] = { R(LONG), M, R(LONG), R(LONG) },
	[P_MULX] = { M, R(LONG), R(LONG), R(LONG) },
};

enum by_reg {
	G_80,
	G_81,
	G_83,
	G_POP,
	G_C6,
	G_C7,
	G_F6,
	G_F7,
	G_FE,
	G_FF,
	G_D8,
	G_D9,
	G_DA,
	G_DB,
	G_DC,
	G_DD,
	G_DE,
	G_DF,
	G_SLDT,
	G_BT,
	G_FXSAVE,
	G_CMPXCHG8B,
};

static const uint32_t rows_by_reg[][8] = {
	[G_80] = { BUT_LAST(RW(1) | T(1), R(1) | T(1)) },
	[G_81] = { BUT_LAST(RW(WORD) | T(FULL), R(WORD) | T(FULL)) },
	[G_83] = { BUT_LAST(RW(WORD) | T(1), R(WORD) | T(1)) },
	[G_POP] = { W(STACK), __, TWICE(__), FOUR(__) },
	[G_C6] = { W(1) | T(1), __, TWICE(__), __, TWICE(__), REG | T(1) },
	[G_C7] = { W(WORD) | T(FULL), __, TWICE(__), __, TWICE(__), REG | T(BEGIN) | FLOW(BRANCH) },
	[G_F6] = { TWICE(R(1) | T(1)), TWICE(RW(1)), FOUR(R(1)) },
	[G_F7] = { TWICE(R(WORD) | T(FULL)), TWICE(RW(WORD)), FOUR(R(WORD)) },
	[G_FE] = { TWICE(RW(1)), TWICE(__), FOUR(__) },
	[G_FF] = { TWICE(RW(WORD)), R(8) | FLOW(CALL), R(UNKNOWN) | FLOW(CALL), R(8) | FLOW(JUMP),
		   R(UNKNOWN) | FLOW(JUMP), R(STACK), __ },
	[G_D8] = { EIGHT(VR(4)) },
	[G_D9] = { VR(4), VREG, TWICE(VW(4)), VR(UNKNOWN), VR(2), VW(UNKNOWN), VW(2) },
	[G_DA] = { EIGHT(VR(4)) },
	[G_DB] = { VR(4), VW(4), TWICE(VW(4)), VREG, VR(10), VREG, VW(10) },
	[G_DC] = { EIGHT(VR(8)) },
	[G_DD] = { VR(8), VW(8), TWICE(VW(8)), VR(UNKNOWN), VREG, VW(UNKNOWN), VW(2) },
	[G_DE] = { EIGHT(VR(2)) },
	[G_DF] = { VR(2), VW(2), TWICE(VW(2)), VR(10), VR(8), VW(10), VW(8) },
	[G_SLDT] = { TWICE(W(2)), FOUR(R(2)), TWICE(__) },
	[G_BT] = { FOUR(__), R(WORD) | T(1), RW(WORD) | T(1), TWICE(RW(WORD) | T(1)) },
	[G_FXSAVE] = { W(UNKNOWN), R(UNKNOWN), R(4), W(4), FOUR(M) },
	[G_CMPXCHG8B] = { __, RW(PAIR), __, R(UNKNOWN), TWICE(W(UNKNOWN)), TWICE(M) },
};

/* clang-format off */
/* Prefixes, VEX and the escapes are taken before: their places are free. */
static const uint32_t rows_1[256] = {
	/* 00 */ ARITHMETIC, TWICE(__), ARITHMETIC, TWICE(__),
	/* 10 */ ARITHMETIC, TWICE(__), ARITHMETIC, TWICE(__),
	/* 20 */ ARITHMETIC, TWICE(__), ARITHMETIC, TWICE(__),
	/* 30 */ ARITHMETIC, TWICE(__), R(1), R(WORD), R(1), R(WORD), T(1), T(FULL), TWICE(__),
	/* 40 */ EIGHT(__), EIGHT(__),
	/* 50 */ EIGHT(NO), EIGHT(NO),
	/* 60 */ __, __, __, R(4), FOUR(__),
	/* 68 */ T(FULL), R(WORD) | T(FULL), T(1), R(WORD) | T(1), FOUR(STR),
	/* 70 */ EIGHT(T(NEAR) | FLOW(BRANCH)), EIGHT(T(NEAR) | FLOW(BRANCH)),
	/* 80 */ GRP(80), GRP(81), __, GRP(83), R(1), R(WORD), RW(1) | ROW_EXCHANGE, RW(WORD) | ROW_EXCHANGE,
	/* 88 */ W(1), W(WORD), R(1), R(WORD), ALONE(W(2)), M, ALONE(R(2)), GRP(POP),
	/* 90 */ EIGHT(NO), NO, NO, __, NO, FOUR(NO),
	/* a0 */ AT(R(1)), AT(R(WORD)), AT(W(1)), AT(W(WORD)), FOUR(STR),
	/* a8 */ T(1), T(FULL), TWICE(STR), FOUR(STR),
	/* b0 */ EIGHT(T(1)), EIGHT(T(WORD)),
	/* c0 */ ALONE(RW(1) | T(1)), ALONE(RW(WORD) | T(1)), T(2) | FLOW(RETURN), FLOW(RETURN), __, __, GRP(C6), GRP(C7),
	/* c8 */ T(3), NO, T(2) | FLOW(RETURN), FLOW(RETURN), FLOW(STOP), T(1), __, FLOW(RETURN),
	/* d0 */ ALONE(RW(1)), ALONE(RW(WORD)), ALONE(RW(1)), ALONE(RW(WORD)), __, __, __, NO,
	/* d8 */ GRP(D8), GRP(D9), GRP(DA), GRP(DB), GRP(DC), GRP(DD), GRP(DE), GRP(DF),
	/* e0 */ FOUR(T(NEAR) | FLOW(BRANCH)), FOUR(T(1)),
	/* e8 */ T(FAR) | FLOW(CALL), T(FAR) | FLOW(JUMP), __, T(NEAR) | FLOW(JUMP), FOUR(NO),
	/* f0 */ __, FLOW(STOP), __, __, FLOW(STOP), NO, GRP(F6), GRP(F7),
	/* f8 */ FOUR(NO), NO, NO, GRP(FE), GRP(FF),
};

static const uint32_t rows_0f[256] = {
	/* 00 */ GRP(SLDT), M, R(2), R(2), __, NO, NO, FLOW(RETURN),
	/* 08 */ NO, NO, __, FLOW(STOP), __, M, NO, VR(8) | T(1),
	/* 10 */ VR(FLOAT), VW(FLOAT), PRE(MOVLPS), VW(8), VR(FULL), VR(FULL), PRE(MOVHPS), VW(8),
	/* 18 */ EIGHT(M),
	/* 20 */ FOUR(CTL), FOUR(__),
	/* 28 */ VR(FULL), VW(FULL), PRE(CVTPI2PS), VW(FLOAT), PRE(CVTPS2PI), PRE(CVTPS2PI), PRE(COMISS), PRE(COMISS),
	/* 30 */ FOUR(NO), FLOW(NEXT), FLOW(RETURN), __, NO,
	/* 38 */ EIGHT(__),
	/* 40 */ EIGHT(R(WORD)), EIGHT(R(WORD)),
	/* 50 */ VREG, VR(FLOAT), VR(FLOAT), VR(FLOAT), FOUR(VR(FULL)),
	/* 58 */ VR(FLOAT), VR(FLOAT), PRE(CVTPS2PD), VR(FULL), FOUR(VR(FLOAT)),
	/* 60 */ VR(UNPACK), VR(UNPACK), VR(UNPACK), VR(MMX), FOUR(VR(MMX)),
	/* 68 */ FOUR(VR(MMX)), VR(FULL), VR(FULL), VR(LONG), VR(MMX),
	/* 70 */ VR(MMX) | T(1), M | T(1), M | T(1), M | T(1), VR(MMX), VR(MMX), VR(MMX), NO,
	/* 78 */ PRE(VMREAD), PRE(VMWRITE), __, __, VR(FULL), VR(FULL), PRE(MOVD), VW(MMX),
	/* 80 */ EIGHT(T(FAR) | FLOW(BRANCH)), EIGHT(T(FAR) | FLOW(BRANCH)),
	/* 90 */ EIGHT(ALONE(W(1))), EIGHT(ALONE(W(1))),
	/* a0 */ NO, NO, NO, R(UNKNOWN), RW(WORD) | T(1), RW(WORD), REG, REG,
	/* a8 */ NO, NO, FLOW(RETURN), RW(UNKNOWN), RW(WORD) | T(1), RW(WORD), GRP(FXSAVE), R(WORD),
	/* b0 */ RW(1), RW(WORD), R(UNKNOWN), RW(UNKNOWN), R(UNKNOWN), R(UNKNOWN), R(1), R(2),
	/* b8 */ PRE(POPCNT), M | FLOW(STOP), GRP(BT), RW(UNKNOWN), R(WORD), R(WORD), R(1), R(2),
	/* c0 */ RW(1), RW(WORD), VR(FLOAT) | T(1), W(LONG), VR(2) | T(1), VREG | T(1), VR(FULL) | T(1), GRP(CMPXCHG8B),
	/* c8 */ EIGHT(NO),
	/* d0 */ VR(FULL), VR(SHIFT), VR(SHIFT), VR(SHIFT), VR(MMX), VR(MMX), PRE(MOVQ), VREG,
	/* d8 */ EIGHT(VR(MMX)),
	/* e0 */ VR(MMX), VR(SHIFT), VR(SHIFT), VR(MMX), VR(MMX), VR(MMX), PRE(CVTPD2DQ), VW(MMX),
	/* e8 */ EIGHT(VR(MMX)),
	/* f0 */ VR(FULL), VR(SHIFT), VR(SHIFT), VR(SHIFT), VR(MMX), VR(MMX), VR(MMX), VREG,
	/* f8 */ FOUR(VR(MMX)), VR(MMX), VR(MMX), VR(MMX), M | FLOW(STOP),
};

/* In the two maps behind it ModRM is always there; what has no row is not described. */
static const uint32_t rows_0f38[256] = {
	[0x00 ... 0x0f] = VR(MMX), /* from 0c on of VEX alone */
	[0x10] = VR(FULL),
	[0x13] = VR(HALF), VR(FULL), VR(FULL), VR(FULL), VR(FULL),
	[0x18] = VR(4), VR(8), VR(16), M, VR(MMX), VR(MMX), VR(MMX), VR(FULL),
	[0x20] = WIDENING, M, M, VR(FULL), VR(FULL), VR(FULL), VR(FULL),
	[0x30] = WIDENING,
	[0x36 ... 0x41] = VR(FULL),
	[0x45 ... 0x47] = VR(FULL),
	[0x50 ... 0x53] = VR(FULL),
	[0x58] = VR(4), VR(8), VR(16),
	[0x64 ... 0x66] = VR(FULL),
	[0x78] = VR(1), VR(2),
	[0x96] = VR(FULL), VR(FULL), FUSED,
	[0xa6] = VR(FULL), VR(FULL), FUSED,
	[0xb4] = VR(FULL), VR(FULL), VR(FULL), VR(FULL), FUSED,
	[0xc8 ... 0xcd] = VR(FULL),
	[0xcf] = VR(FULL),
	[0xdb] = VR(FULL), PRE(AES), PRE(AES), PRE(AES), PRE(AES),
	[0xf0] = PRE(CRC32_BYTE), PRE(CRC32), R(LONG), ALONE(R(LONG)), M, PRE(PEXT), PRE(MULX), R(LONG),
	[0xf9] = W(LONG),
};

/* One byte behind each. */
static const uint32_t rows_0f3a[256] = {
	[0x00] = VR(FULL), VR(FULL), VR(FULL), M, VR(FULL), VR(FULL), VR(FULL), M,
	[0x08] = VR(FULL), VR(FULL), VR(4), VR(8), VR(FULL), VR(FULL), VR(FULL), VR(MMX),
	[0x14] = VW(1), VW(2), VW(LONG), VW(4), VR(16), VW(16), [0x1d] = VW(HALF), VR(FULL), VR(FULL),
	[0x20] = VR(1), VR(4), VR(LONG), [0x25] = VR(FULL),
	[0x38] = VR(16), VW(16), [0x3e] = VR(FULL), VR(FULL),
	[0x40] = VR(FULL), VR(FULL), VR(FULL), M, VR(FULL), M, VR(FULL), [0x4a ... 0x4c] = VR(FULL),
	[0x48 ... 0x49] = VR(FULL), [0x5c ... 0x63] = VR(FULL),
	[0x68] = FUSED_4, FUSED_4, [0x78] = FUSED_4, FUSED_4,
	[0xcc] = VR(FULL), [0xce ... 0xcf] = VR(FULL),
	[0xdf] = VR(FULL),
	[0xf0] = R(LONG),
};
/* clang-format on */

#endif
