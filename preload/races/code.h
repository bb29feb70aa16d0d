/* SPDX-License-Identifier: MIT */
/*
 * code.h - what one machine instruction does to memory, and where it leads.
 *
 * Says how long an instruction is, whether control goes on behind it, and which bytes of memory its
 * explicit operand reads or writes. Runs inside the signal handlers of a host: no allocation, no
 * libc but memcpy, constant tables only, and it reads no byte beyond those it was given. Does not say
 * what is computed, and knows nothing of symbols or functions. One file per processor implements it;
 * tests/unit/test_code_zydis.c holds that of x86-64 against Zydis.
 *
 * What is not described has access 0 and may still touch memory: string instructions, gathers and
 * scatters, masked vector moves, pushes and pops of registers, calls and returns (their stack).
 */
#ifndef THRUM_RACES_CODE_H
#define THRUM_RACES_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum code_flow {
	CODE_NEXT,   /* goes on behind it; system calls too */
	CODE_JUMP,   /* direct or indirect, never goes on */
	CODE_BRANCH, /* to `target` or on */
	CODE_CALL,   /* direct or indirect */
	CODE_RETURN, /* also from interrupts */
	CODE_STOP,   /* traps: ud2, int3, hlt */
};

enum code_access { CODE_READS = 1, CODE_WRITES = 2 };

/* In place of a number of a register. `other` is none with an immediate and with a vector; ah counts as rax. */
enum { CODE_NO_REGISTER = 16, CODE_IP = 17 };

enum {
	CODE_MOST_BYTES = 15, /* no instruction is longer */
};

/* The memory operand is the explicit one; where access is 0, its place and `other` say nothing. */
struct code_instruction {
	uint8_t length;	 /* in bytes, with its prefixes */
	uint8_t flow;	 /* enum code_flow */
	uint8_t access;	 /* enum code_access; 0 = no operand, or not described */
	uint8_t size;	 /* in bytes: 1 2 4 8 10 16 32 64; 0 = not known, nor is the address */
	uint8_t base;	 /* 0 = rax ... 15 = r15 as instructions number them, or CODE_IP */
	uint8_t index;	 /* the same; times `scale` */
	uint8_t scale;	 /* 1 2 4 8 */
	uint8_t segment; /* 4 = fs, 5 = gs; 0 = flat */
	uint8_t other;	 /* general register that it loads, stores or changes memory by, or none */
	bool is_atomic;	 /* LOCK prefix, or XCHG with memory */
	bool is_string; /* movs, stos, cmps, lods, scas, ins, outs: by rsi and rdi, not described */
	bool is_vector; /* another operand is a vector or x87 register */
	bool is_32;	/* its address is cut to 32 bits */
	int64_t displacement;
	uintptr_t target; /* of a direct call, jump or branch; 0 = none */
};

/* Of a thread in front of the instruction; numbered as there: rax rcx rdx rbx rsp rbp rsi rdi r8 ... r15. */
struct code_registers {
	uintptr_t r[16];
	uintptr_t ip; /* of the instruction, not behind it */
};

/*
 * ANY: the instruction at the start of `code`, which runs at the address `pc`. False: not understood,
 * because the bytes end or the operation is not defined; `ret` is undefined then. Accepts some that the
 * processor refuses.
 */
bool code_decode(const uint8_t *code, size_t bytes, uintptr_t pc, struct code_instruction *ret);

/*
 * ANY: where its memory operand lies. 0 = not known: no access, size not known, or by way of fs or gs.
 * Exact only with the registers from before the instruction: one that loads its own base changes it.
 */
uintptr_t code_address(const struct code_instruction *i, const struct code_registers *r);

/* ANY: where a call through a register leads, with the registers from before it; 0 = it is none. */
uintptr_t code_called(const uint8_t *code, const struct code_instruction *i,
		      const struct code_registers *r);

/*
 * SLOW: the instruction that ends at `end`, by decoding from `start`, where one must begin, to there; all
 * of it must be readable. False when the sweep does not meet `end`. A data watch traps behind the
 * access: this finds who made it (not a repeated string instruction, which traps at itself).
 */
bool code_before(uintptr_t start, uintptr_t end, struct code_instruction *ret, uintptr_t *ret_pc);

#endif
