/* SPDX-License-Identifier: MIT */
/*
 * test_code_zydis.c - the decoder of machine code says what Zydis says: over every function of real libraries and programs,
 * every opcode with every prefix, and random bytes; and it reads nothing behind the bytes it was given.
 */
#include "preload/races/code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef THRUM_HAVE_ZYDIS
#include "elf_fixture.h"

#include <Zydis/Zydis.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#define PC 0x555555400000

static struct {
	ZydisDecoder decoder;
	ZydisFormatter formatter;
	ZydisRegisterContext context; /* what r holds */
	struct code_registers r;
	uint8_t *edge;		 /* a page ends here, nothing is mapped behind */
	size_t compared, lax;	 /* lax: decoded by us alone */
	size_t accesses, silent; /* explicit memory operands, and those we do not describe */
	size_t wrong;
} z;

static int setup(void **state)
{
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *map =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(mprotect(map + page, page, PROT_NONE), 0);
	z.edge = map + page;
	ZydisDecoderInit(&z.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisFormatterInit(&z.formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	z.r.ip = PC;
	for (unsigned k = 0; k < 16; k++) {
		z.r.r[k] = 0x123456789abcdef1 * (uint64_t)(k + 1);
		z.context.values[ZYDIS_REGISTER_RAX + k] = z.r.r[k];
		z.context.values[ZYDIS_REGISTER_EAX + k] = (uint32_t)z.r.r[k];
	}
	return 0;
}

static bool is_vector(ZydisRegister r)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(r);

	return class >= ZYDIS_REGCLASS_X87 && class <= ZYDIS_REGCLASS_ZMM;
}

static bool is_general(ZydisRegister r)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(r);

	return class >= ZYDIS_REGCLASS_GPR8 && class <= ZYDIS_REGCLASS_GPR64;
}

static unsigned flow_of(const ZydisDecodedInstruction *i)
{
	switch (i->mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_INT1:
	case ZYDIS_MNEMONIC_HLT:
		return CODE_STOP;
	case ZYDIS_MNEMONIC_RSM:
	case ZYDIS_MNEMONIC_SYSRET:
	case ZYDIS_MNEMONIC_SYSEXIT:
		return CODE_RETURN;
	default:
		break;
	}
	switch (i->meta.category) {
	case ZYDIS_CATEGORY_CALL:
		return CODE_CALL;
	case ZYDIS_CATEGORY_RET:
		return CODE_RETURN;
	case ZYDIS_CATEGORY_COND_BR:
		return i->mnemonic == ZYDIS_MNEMONIC_XEND ? CODE_NEXT : CODE_BRANCH;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return i->mnemonic == ZYDIS_MNEMONIC_XABORT ? CODE_NEXT : CODE_JUMP;
	default:
		return CODE_NEXT;
	}
}

static unsigned register_number(ZydisRegister r)
{
	ZyanI8 id = ZydisRegisterGetId(r);

	return r == ZYDIS_REGISTER_NONE				    ? CODE_NO_REGISTER
	       : r == ZYDIS_REGISTER_RIP || r == ZYDIS_REGISTER_EIP ? CODE_IP
								    : (unsigned)id;
}

/* NULL, or what differs. */
static const char *compare_memory(const struct code_instruction *i,
				  const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *o)
{
	unsigned access = 0, segment = 0;
	ZyanU64 address;

	if (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
		access |= CODE_READS;
	if (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
		access |= CODE_WRITES;
	if (zi->meta.category != ZYDIS_CATEGORY_NOP &&
	    zi->meta.category != ZYDIS_CATEGORY_WIDENOP &&
	    zi->meta.category != ZYDIS_CATEGORY_PREFETCH) {
		z.accesses++;
		z.silent += !i->access || !i->size;
	}
	if (!i->access)
		return NULL;
	if (i->access != access)
		return "access";
	if (!i->size)
		return NULL;
	if (i->size != o->size / 8)
		return "size";
	if (o->mem.segment == ZYDIS_REGISTER_FS || o->mem.segment == ZYDIS_REGISTER_GS)
		segment = o->mem.segment == ZYDIS_REGISTER_FS ? 4 : 5;
	if (i->segment != segment)
		return "segment";
	/* Zydis 4.0 takes r13d for the base where an address of 32 bits has none. */
	if (zi->address_width == 32 && !zi->raw.modrm.mod && zi->raw.sib.base == 5)
		return i->base == CODE_NO_REGISTER ? NULL : "base";
	if (i->base != register_number(o->mem.base))
		return "base";
	if (i->index != register_number(o->mem.index) || (o->mem.index && i->scale != o->mem.scale))
		return "index";
	if (zi->mnemonic == ZYDIS_MNEMONIC_POP && i->base == 4)
		return NULL; /* Zydis does not count what pop adds to rsp */
	if (i->displacement != o->mem.disp.value)
		return "displacement";
	if (!segment &&
	    (!ZYAN_SUCCESS(ZydisCalcAbsoluteAddressEx(zi, o, PC, &z.context, &address)) ||
	     address != code_address(i, &z.r)))
		return "address";
	return NULL;
}

static const char *compare_operands(const struct code_instruction *i,
				    const ZydisDecodedInstruction *zi,
				    const ZydisDecodedOperand *operands)
{
	const ZydisDecodedOperand *memory = NULL;
	bool vector = zi->meta.isa_ext == ZYDIS_ISA_EXT_X87,
	     is_locked = zi->attributes & ZYDIS_ATTRIB_HAS_LOCK;
	unsigned other = CODE_NO_REGISTER;
	ZyanU64 target = 0;

	for (unsigned k = 0; k < zi->operand_count; k++) {
		const ZydisDecodedOperand *o = &operands[k];

		if (o->type == ZYDIS_OPERAND_TYPE_REGISTER) {
			vector |= is_vector(o->reg.value);
			if (is_general(o->reg.value) &&
			    (o->encoding == ZYDIS_OPERAND_ENCODING_MODRM_REG ||
			     (zi->opcode & 0xfc) == 0xa0))
				other = register_number(ZydisRegisterGetLargestEnclosing(
					ZYDIS_MACHINE_MODE_LONG_64, o->reg.value));
		} else if (o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && o->imm.is_relative)
			ZydisCalcAbsoluteAddress(zi, o, PC, &target);
		else if (o->type == ZYDIS_OPERAND_TYPE_MEMORY &&
			 o->mem.type == ZYDIS_MEMOP_TYPE_MEM &&
			 o->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT && o->actions)
			memory = o;
	}
	if (i->target != target)
		return "target";
	if (i->is_atomic != (is_locked || (zi->mnemonic == ZYDIS_MNEMONIC_XCHG && memory)))
		return "atomic";
	if (i->is_string)
		return NULL;
	if (!memory)
		return i->access ? "access where there is none" : NULL;
	if (i->access && i->is_vector != vector)
		return "vector";
	if (i->access && i->other != other)
		return "other register";
	return compare_memory(i, zi, memory);
}

static void say(const char *what, const uint8_t *code, size_t bytes,
		const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *operands)
{
	char text[200];

	if (z.wrong++ >= 40)
		return;
	ZydisFormatterFormatInstruction(&z.formatter, zi, operands, zi->operand_count_visible, text,
					sizeof(text), PC, NULL);
	print_error("%s differs:", what);
	for (size_t k = 0; k < bytes; k++)
		print_error(" %02x", code[k]);
	print_error(": %s\n", text);
}

/* Knights Corner's alone: nothing that Linux programs run on has them. */
static bool is_of_phi(const ZydisDecodedInstruction *i)
{
	return i->encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX ||
	       i->meta.isa_ext == ZYDIS_ISA_EXT_KNC || i->meta.isa_ext == ZYDIS_ISA_EXT_KNCE ||
	       i->meta.isa_ext == ZYDIS_ISA_EXT_KNCV;
}

/* One instruction at `code`. Returns its length, 0 if Zydis knows none there. */
static size_t compare(const uint8_t *code, size_t bytes)
{
	ZydisDecodedInstruction zi;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	struct code_instruction i, shorter;
	bool is_known = code_decode(code, bytes, PC, &i);
	const char *what = NULL;

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&z.decoder, code, bytes, &zi, operands)) ||
	    is_of_phi(&zi)) {
		z.lax += is_known;
		return 0;
	}
	z.compared++;
	if (!is_known)
		what = "known";
	else if (i.length != zi.length)
		what = "length";
	else if (i.flow != flow_of(&zi))
		what = "flow";
	else if (i.is_string != (zi.meta.category == ZYDIS_CATEGORY_STRINGOP ||
				 zi.meta.category == ZYDIS_CATEGORY_IOSTRINGOP))
		what = "string";
	else if (code_decode(code, i.length - 1, PC, &shorter))
		what = "what a byte less is";
	else
		what = compare_operands(&i, &zi, operands);
	if (what)
		say(what, code, zi.length, &zi, operands);
	return zi.length;
}

/* Copies the bytes to the edge, so that whoever reads behind them dies; then with the bytes cut off one by one. */
static void compare_at_edge(const uint8_t *code, size_t bytes)
{
	struct code_instruction i;
	size_t length;

	memcpy(z.edge - bytes, code, bytes);
	length = compare(z.edge - bytes, bytes);
	for (size_t k = 1; k < length; k++) {
		memcpy(z.edge - k, code, k);
		if (code_decode(z.edge - k, k, PC, &i)) {
			print_error("%zu bytes of %zu are taken for an instruction\n", k, length);
			z.wrong++;
		}
	}
}

static void test_every_opcode(void **state)
{
	/* Prefixes; in the order that does not count, too. */
	static const char starts[][3] = { "",	      "\x66",	  "\xf2",     "\xf3",
					  "\x48",     "\xf0",	  "\x67",     "\x64",
					  "\x66\x48", "\xf3\x48", "\xf2\x4f", "\x65\x41",
					  "\x48\x66", "\x66\xf2", "\xf2\xf3" };
	static const char *const maps[] = { "", "\x0f", "\x0f\x38", "\x0f\x3a" };
	uint8_t code[32];

	(void)state;
	z.compared = z.wrong = 0;
	memset(code, 0x11, sizeof(code));
	for (size_t s = 0; s < sizeof(starts) / sizeof(*starts); s++)
		for (size_t m = 0; m < sizeof(maps) / sizeof(*maps); m++)
			for (unsigned opcode = 0; opcode < 256; opcode++)
				for (unsigned modrm = 0; modrm < 256; modrm++) {
					size_t at = strlen(starts[s]);

					memcpy(code, starts[s], at);
					memcpy(code + at, maps[m], strlen(maps[m]));
					at += strlen(maps[m]);
					code[at++] = opcode;
					code[at++] = modrm;
					code[at++] = modrm * 37 + opcode; /* SIB */
					compare_at_edge(code, 20);
				}
	print_message("%zu instructions compared, %zu differ\n", z.compared, z.wrong);
	assert_int_equal(z.wrong, 0);
	assert_true(z.compared > 700000);
}

/* VEX of three bytes and EVEX: every map, prefix, W, length and opcode, with each kind of ModRM. */
static void test_every_vector_opcode(void **state)
{
	static const uint8_t modrms[] = { 0x00, 0x04, 0x05, 0x4b, 0x4c, 0x93, 0xac,
					  0xc8, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30,
					  0x38, 0xd1, 0xe2, 0xeb, 0xf4, 0xfd };
	enum { KINDS = 4 * 2 * 3 * 3 * 2 };

	(void)state;
	z.compared = z.wrong = 0;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		unsigned prefix = kind % 4, wide = kind / 4 % 2, length = kind / 8 % 3,
			 map = kind / 24 % 3 + 1;
		bool is_evex = kind >= KINDS / 2;
		uint8_t code[32] = { is_evex ? 0x62 : 0xc4, (is_evex ? 0xf0 : 0xe0) | map,
				     0x78 | wide << 7 | prefix | (!is_evex && length ? 4 : 0),
				     0x08 | length << 5 };
		size_t at = is_evex ? 4 : 3;

		if (is_evex)
			code[2] |= 4;
		for (unsigned opcode = 0; opcode < 256; opcode++)
			for (size_t k = 0; k < sizeof(modrms); k++) {
				code[at] = opcode;
				code[at + 1] = modrms[k];
				code[at + 2] = 0x42 + opcode; /* SIB, displacement, immediate */
				code[at + 3] = 0x21;
				compare_at_edge(code, 20);
			}
	}
	print_message("%zu instructions compared, %zu differ\n", z.compared, z.wrong);
	assert_int_equal(z.wrong, 0);
	assert_true(z.compared > 70000);
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	return *x ^= *x << 17;
}

static void test_random_bytes(void **state)
{
	/* So that each encoding is met. */
	static const uint8_t firsts[] = { 0, 0xc4, 0xc5, 0x62, 0x8f, 0x0f, 0x66, 0xf2, 0xf3, 0x48 };
	uint64_t x = 0x9e3779b97f4a7c15, bytes[2];

	(void)state;
	z.compared = z.wrong = 0;
	for (unsigned k = 0; k < 2000000; k++) {
		uint8_t first = firsts[k % sizeof(firsts)];

		bytes[0] = next_random(&x);
		bytes[1] = next_random(&x);
		if (first)
			memcpy(bytes, &first, 1);
		compare_at_edge((uint8_t *)bytes, sizeof(bytes));
	}
	print_message("%zu instructions compared, %zu differ\n", z.compared, z.wrong);
	assert_int_equal(z.wrong, 0);
	assert_true(z.compared > 500000);
}

/* ---- real code ---- */

/* What .eh_frame of the usual form holds: an address relative to itself, and a size. */
struct fde {
	uint32_t length, cie;
	int32_t start;
	uint32_t size;
};
struct eh_frame_hdr {
	uint8_t version, frame_format, count_format, table_format;
	int32_t frame;
	uint32_t count;
	struct {
		int32_t start, fde;
	} rows[];
};
enum {
	EH_HDR_FORMATS = 0x3b031b
}; /* frame: from here, count: plain, table: from the header; all of 4 bytes */

static const uint8_t *at_address(const uint8_t *file, uint64_t address)
{
	const Elf64_Ehdr *head = (const void *)file;
	const Elf64_Phdr *p = (const void *)(file + head->e_phoff);

	for (unsigned k = 0; k < head->e_phnum; k++)
		if (p[k].p_type == PT_LOAD && address - p[k].p_vaddr < p[k].p_filesz)
			return file + p[k].p_offset + (address - p[k].p_vaddr);
	return NULL;
}

/* Data in text, as hand-written code has it, ends a function: Zydis leads. */
static void compare_function(const uint8_t *code, size_t bytes)
{
	uintptr_t before = 0, last = 0;
	struct code_instruction i;
	size_t length;

	for (size_t at = 0; at < bytes; at += length) {
		length = compare(code + at, bytes - at);
		if (!length)
			break;
		before = last;
		last = (uintptr_t)code + at;
	}
	if (before &&
	    (!code_before((uintptr_t)code, last, &i, &before) || before + i.length != last))
		z.wrong++;
}

static void compare_file(const uint8_t *file, size_t most)
{
	const Elf64_Ehdr *head = (const void *)file;
	const Elf64_Phdr *p = (const void *)(file + head->e_phoff);
	const struct eh_frame_hdr *h = NULL;
	uint64_t address = 0;

	for (unsigned k = 0; k < head->e_phnum; k++)
		if (p[k].p_type == PT_GNU_EH_FRAME)
			address = p[k].p_vaddr;
	h = (const void *)at_address(file, address);
	if (!h ||
	    (h->frame_format | h->count_format << 8 | h->table_format << 16) != EH_HDR_FORMATS)
		return;
	for (uint32_t k = 0; k < h->count && z.compared < most; k++) {
		const struct fde *fde = (const void *)at_address(file, address + h->rows[k].fde);
		const uint8_t *code = at_address(file, address + h->rows[k].start);

		if (fde && code &&
		    h->rows[k].fde + (int64_t)offsetof(struct fde, start) + fde->start ==
			    h->rows[k].start)
			compare_function(code, fde->size);
	}
}

/* How many instructions; 0 = it is not here. */
static size_t compare_path(const char *path, size_t most)
{
	size_t bytes, accesses = z.accesses, silent = z.silent;
	uint8_t *file;

	if (access(path, R_OK))
		return 0;
	file = fixture_read(path, &bytes);
	z.compared = 0;
	compare_file(file, most);
	accesses = z.accesses - accesses;
	silent = z.silent - silent;
	print_message("%s: %zu instructions compared; of %zu memory operands %zu not described\n",
		      path, z.compared, accesses, silent);
	free(file);
	return z.compared;
}

static void test_real_code(void **state)
{
	/* Those that are there. */
	static const char *const paths[] = { "/usr/lib/x86_64-linux-gnu/libc.so.6",
					     "/usr/lib/x86_64-linux-gnu/libm.so.6",
					     "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
					     "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
					     "/usr/lib64/libc.so.6",
					     "/usr/lib64/libstdc++.so.6",
					     "/usr/bin/python3.11",
					     "/usr/bin/git",
					     "/bin/bash",
					     "/usr/lib/gcc/x86_64-linux-gnu/12/cc1" };
	enum { LEAST = 400000, MOST_A_FILE = 1500000 };
	size_t sum = 0;

	(void)state;
	z.wrong = z.lax = z.accesses = z.silent = 0;
	for (size_t k = 0; k < sizeof(paths) / sizeof(*paths); k++)
		sum += compare_path(paths[k], MOST_A_FILE);
	print_message("%zu instructions compared, %zu differ; %zu accesses, %zu not described\n",
		      sum, z.wrong, z.accesses, z.silent);
	assert_int_equal(z.wrong, 0);
	assert_true(z.lax * 10000 < sum);
	assert_true(sum > LEAST);
	assert_true(z.silent * 200 < z.accesses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_opcode),
		cmocka_unit_test(test_every_vector_opcode),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_real_code),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
#else
static void skip_without_zydis(void **state)
{
	(void)state;
	print_message(
		"no Zydis (libzydis-dev): the decoder of machine code was compared with nothing\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(skip_without_zydis) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
