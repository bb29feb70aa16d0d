/* SPDX-License-Identifier: MIT */
/*
 * test_code.c - what an instruction does to memory, where that lies and where it leads, on a few known by heart. That all
 * others are right too is test_code_zydis.c.
 */
#include "preload/races/code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PC 0x555555400000

static struct code_instruction decode(const char *bytes, size_t count)
{
	struct code_instruction i;

	if (!code_decode((const uint8_t *)bytes, count, PC, &i))
		fail_msg("not decoded: %02x %02x ...", (uint8_t)bytes[0], (uint8_t)bytes[1]);
	assert_int_equal(i.length, count);
	return i;
}
#define DECODE(bytes) decode(bytes, sizeof(bytes) - 1)

static void expect_operand(struct code_instruction i, unsigned access, unsigned size,
			   bool is_atomic)
{
	assert_int_equal(i.access, access);
	assert_int_equal(i.size, size);
	assert_int_equal(i.is_atomic, is_atomic);
	assert_int_equal(i.flow, CODE_NEXT);
}

static void test_reads_and_writes(void **state)
{
	(void)state;
	expect_operand(DECODE("\x8b\x07"), CODE_READS, 4, false);      /* mov eax, [rdi] */
	expect_operand(DECODE("\x48\x89\x07"), CODE_WRITES, 8, false); /* mov [rdi], rax */
	expect_operand(DECODE("\x66\x89\x07"), CODE_WRITES, 2, false); /* mov [rdi], ax */
	expect_operand(DECODE("\x83\x07\x01"), 3, 4, false);	       /* add dword [rdi], 1 */
	expect_operand(DECODE("\xf0\x83\x07\x01"), 3, 4, true);	       /* lock add */
	expect_operand(DECODE("\x87\x07"), 3, 4, true);		       /* xchg [rdi], eax */
	expect_operand(DECODE("\x87\xc7"), 0, 0, false);	       /* xchg edi, eax */
	expect_operand(DECODE("\x83\x3f\x01"), CODE_READS, 4, false);  /* cmp dword [rdi], 1 */
	expect_operand(DECODE("\x84\x07"), CODE_READS, 1, false);      /* test [rdi], al */
	expect_operand(DECODE("\x48\x8d\x07"), 0, 0, false);	       /* lea rax, [rdi] */
	expect_operand(DECODE("\x0f\x1f\x40\x00"), 0, 0, false);       /* nop [rax] */
	expect_operand(DECODE("\x0f\x18\x0f"), 0, 0, false);	       /* prefetcht0 [rdi] */
	expect_operand(DECODE("\xf0\x48\x0f\xc7\x0f"), 3, 16, true);   /* lock cmpxchg16b [rdi] */
	expect_operand(DECODE("\xf3\x0f\x11\x07"), CODE_WRITES, 4, false); /* movss [rdi], xmm0 */
	expect_operand(DECODE("\x0f\x11\x07"), CODE_WRITES, 16, false);	   /* movups [rdi], xmm0 */
	expect_operand(DECODE("\xc5\xfe\x7f\x07"), CODE_WRITES, 32,
		       false);					    /* vmovdqu [rdi], ymm0 */
	expect_operand(DECODE("\xdb\x3f"), CODE_WRITES, 10, false); /* fstp tbyte [rdi] */
	expect_operand(DECODE("\x62\xf1\xfe\x48\x7f\x07"), CODE_WRITES, 64,
		       0);						 /* vmovdqu64 [rdi], zmm0 */
	expect_operand(DECODE("\x62\xf1\xfe\x49\x7f\x07"), 0, 0, false); /* the same by mask k1 */
	assert_int_equal(DECODE("\x44\x89\x07").other, 8);		 /* mov [rdi], r8d */
	assert_int_equal(DECODE("\x88\x27").other, 0);			 /* mov [rdi], ah */
	assert_int_equal(DECODE("\x40\x88\x27").other, 4);		 /* mov [rdi], spl */
	assert_int_equal(DECODE("\x0f\xb6\x27").other, 4);		 /* movzx esp, byte [rdi] */
	assert_int_equal(DECODE("\xc6\x07\x01").other, CODE_NO_REGISTER);
	assert_true(DECODE("\x0f\x11\x07").is_vector);
	assert_false(DECODE("\x8b\x07").is_vector);
	assert_true(DECODE("\xf3\x48\xa5").is_string); /* rep movsq */
}

static void expect_way(struct code_instruction i, unsigned flow, uintptr_t target)
{
	assert_int_equal(i.flow, flow);
	assert_int_equal(i.target, target);
}

static void test_flow(void **state)
{
	(void)state;
	expect_way(DECODE("\x90"), CODE_NEXT, 0);
	expect_way(DECODE("\x0f\x05"), CODE_NEXT, 0); /* syscall */
	expect_way(DECODE("\xeb\xfe"), CODE_JUMP, PC);
	expect_way(DECODE("\x75\x02"), CODE_BRANCH, PC + 4);
	expect_way(DECODE("\x0f\x85\x00\xff\xff\xff"), CODE_BRANCH, PC + 6 - 256);
	expect_way(DECODE("\xe8\x00\x01\x00\x00"), CODE_CALL, PC + 5 + 256);
	expect_way(DECODE("\xff\xe0"), CODE_JUMP, 0);
	expect_way(DECODE("\xff\x15\x00\x00\x00\x00"), CODE_CALL, 0);
	expect_way(DECODE("\xf3\xc3"), CODE_RETURN, 0);
	expect_way(DECODE("\x0f\x0b"), CODE_STOP, 0);
	expect_way(DECODE("\xcc"), CODE_STOP, 0);
}

static uintptr_t address_of(struct code_instruction i)
{
	struct code_registers r = { .ip = PC };

	for (size_t k = 0; k < 16; k++)
		r.r[k] = 0x1000 * (k + 1);
	r.r[3] = -(uintptr_t)8; /* rbx */
	return code_address(&i, &r);
}

static void test_addresses(void **state)
{
	(void)state;
	assert_int_equal(address_of(DECODE("\x8b\x07")), 0x8000); /* [rdi] */
	assert_int_equal(address_of(DECODE("\x43\x8b\x44\xec\xf8")),
			 0xd000 + 8 * 0xe000 - 8);			  /* [r12+8*r13-8] */
	assert_int_equal(address_of(DECODE("\x8b\x04\x1f")), 0x8000 - 8); /* [rdi+rbx] */
	assert_int_equal(address_of(DECODE("\x8b\x05\x10\x00\x00\x00")),
			 PC + 6 + 16); /* [rip+16] */
	assert_int_equal(address_of(DECODE("\x83\x05\x10\x00\x00\x00\x01")),
			 PC + 7 + 16); /* add dword [rip+16], 1 */
	assert_int_equal(address_of(DECODE("\x8b\x04\x25\x10\x00\x00\x00")), 16); /* [16] */
	assert_int_equal(address_of(DECODE("\x67\x8b\x03")), 0xfffffff8);	  /* [ebx] */
	assert_int_equal(address_of(DECODE("\x64\x8b\x07")), 0);		  /* fs:[rdi] */
	assert_int_equal(address_of(DECODE("\x48\x8d\x07")), 0);		  /* lea */
	assert_int_equal(address_of(DECODE("\x8f\x44\x24\x08")), 0x5000 + 16);	  /* pop [rsp+8] */
	assert_int_equal(address_of(DECODE("\x48\xa1\x08\x07\x06\x05\x04\x03\x02\x01")),
			 0x0102030405060708);
}

static void test_instruction_before(void **state)
{
	/* push rbp; mov rbp, rsp; mov [rdi], rax; ret */
	static const uint8_t code[] = "\x55\x48\x89\xe5\x48\x89\x07\xc3";
	uintptr_t start = (uintptr_t)code, pc;
	struct code_instruction i;

	(void)state;
	assert_true(code_before(start, start + 7, &i, &pc));
	assert_int_equal(pc, start + 4);
	assert_int_equal(i.access, CODE_WRITES);
	assert_true(code_before(start, start + 1, &i, &pc));
	assert_int_equal(pc, start);
	assert_false(code_before(start, start + 6, &i, &pc)); /* inside of one */
	assert_false(code_before(start, start, &i, &pc));
}

static void test_refuses_what_is_not_an_instruction(void **state)
{
	static const char *const bad[] = {
		"\x06",
		"\xf0\x8b\x07",
		"\xf0\x0f\x1f\x00",
		"\x0f\x04",
		"\x48\xc5\xf8\x10\x07",
		"\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"
	};
	struct code_instruction i;

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++)
		assert_false(code_decode((const uint8_t *)bad[k], strlen(bad[k]) + 1, PC, &i));
	assert_false(code_decode((const uint8_t *)"\x90", 0, PC, &i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_and_writes),
		cmocka_unit_test(test_flow),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_instruction_before),
		cmocka_unit_test(test_refuses_what_is_not_an_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
