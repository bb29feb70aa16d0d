/* SPDX-License-Identifier: MIT */
/*
 * test_symbols_data.c - addresses of static storage get the names that the source gives them, down to the member where
 * DWARF knows it; and damaged files do no harm.
 */
#include "analyzer/demangle.h"
#include "analyzer/symbols.h"
#include "elf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define C_SOURCE "symbols_c.c"
#define CXX_SOURCE "symbols_cxx.cc"

static char *directory;

static void build(const char *name, const char *compiler, const char *flags, const char *source,
		  struct recorded *r)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fixture_command("cd '%s' && %s -shared -fPIC -pthread %s -o '%s' '%s'", directory, compiler,
			flags, path, fixture_source(source));
	recorded_init(r, path);
}

/* `names`: what data_address(0), data_address(1) … are called; NULL = module and offset. */
static void check_names(struct recorded *r, const char *const *names, size_t count)
{
	void *(*data_address)(int) =
		(void *(*)(int))(uintptr_t)recorded_function(r, "data_address");
	struct symbols *symbols = recorded_symbols(r);
	const char *base = strrchr(r->path, '/') + 1;

	for (size_t i = 0; i < count; i++) {
		uint64_t address = (uint64_t)(uintptr_t)data_address((int)i);
		const char *name = symbols_resolve_data(symbols, address, 5);
		char expected[256];

		snprintf(expected, sizeof(expected), "%s+0x%llx", base,
			 (unsigned long long)(address - r->modules[0].bias));
		assert_non_null(name);
		assert_string_equal(name, names[i] ? names[i] : expected);
	}
}

#define CHECK_NAMES(r, names) check_names(r, names, sizeof(names) / sizeof((names)[0]))

static const char *const c_names[] = {
	"plain_lock",
	"accounts[3].lock",
	"accounts[0].state.changed",
	"accounts[7].state.guard[1]",
	"table[2][4].lock",
	"either_lock.first",
	"spins[9]",
	"hidden_semaphore",
	"static_local()::lock",
	"other_local()::lock",
	"accounts[1].lock+16",
};

static void test_members_and_elements_are_named(void **state)
{
	static const char *const flags[] = { "-O2 -g", "-O0 -g -gdwarf-4", "-O2 -g -gsplit-dwarf",
					     "-O2 -g -flto" };
	struct recorded r;

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "members%zu.so", i);
		build(name, "cc", flags[i], C_SOURCE, &r);
		CHECK_NAMES(&r, c_names);
		recorded_release(&r);
	}
}

static void test_members_of_clang_are_named(void **state)
{
	struct recorded r;

	(void)state;
	if (!fixture_has_program("clang"))
		skip();
	build("clang.so", "clang", "-O1 -g", C_SOURCE, &r);
	CHECK_NAMES(&r, c_names);
	recorded_release(&r);
}

static void test_symbol_table_gives_symbol_and_offset(void **state)
{
	static const char *const names[] = {
		"plain_lock",  "accounts+632", "accounts+48",	   "accounts+1576", "table+2920",
		"either_lock", "spins+36",     "hidden_semaphore", "lock.1",	    "lock.0",
	};
	struct recorded r;
	void *(*data_address)(int);

	(void)state;
	build("symtab.so", "cc", "-O2", C_SOURCE, &r);
	data_address = (void *(*)(int))(uintptr_t)recorded_function(&r, "data_address");
	for (size_t i = 0; i < 8; i++) {
		const char *name = symbols_resolve_data(i ? r.symbols : recorded_symbols(&r),
							(uint64_t)(uintptr_t)data_address((int)i),
							5);

		assert_int_equal(strcspn(name, "+"), strcspn(names[i], "+"));
		assert_memory_equal(name, names[i], strcspn(names[i], "+"));
	}
	assert_string_equal(
		symbols_resolve_data(r.symbols, (uint64_t)(uintptr_t)data_address(6), 5), names[6]);
	/* GCC's numbers are its own business; but two locks must not have one name. */
	assert_memory_equal(
		symbols_resolve_data(r.symbols, (uint64_t)(uintptr_t)data_address(8), 5), "lock.",
		5);
	assert_string_not_equal(
		symbols_resolve_data(r.symbols, (uint64_t)(uintptr_t)data_address(8), 5),
		symbols_resolve_data(r.symbols, (uint64_t)(uintptr_t)data_address(9), 5));
	recorded_release(&r);
}

static void test_stripped_statics_are_module_and_offset(void **state)
{
	static const char *const names[] = { "plain_lock",  NULL,	NULL, NULL, NULL,
					     "either_lock", "spins+36", NULL, NULL };
	struct recorded r;
	void *(*data_address)(int);
	char expected[128];

	(void)state;
	build("stripped.so", "cc", "-O2 -s", C_SOURCE, &r);
	data_address = (void *(*)(int))(uintptr_t)recorded_function(&r, "data_address");
	recorded_symbols(&r);
	assert_string_equal(
		symbols_resolve_data(r.symbols, (uint64_t)(uintptr_t)data_address(0), 5), names[0]);
	assert_string_equal(
		symbols_resolve_data(r.symbols, (uint64_t)(uintptr_t)data_address(6), 5), names[6]);
	snprintf(expected, sizeof(expected), "stripped.so+0x%llx",
		 (unsigned long long)((uint64_t)(uintptr_t)data_address(7) - r.modules[0].bias));
	assert_string_equal(
		symbols_resolve_data(r.symbols, (uint64_t)(uintptr_t)data_address(7), 5), expected);

	/* The file is not the recorded one: its symbols say nothing about this process. */
	r.build_id[0] ^= 1;
	recorded_symbols(&r);
	snprintf(expected, sizeof(expected), "stripped.so+0x%llx",
		 (unsigned long long)((uint64_t)(uintptr_t)data_address(0) - r.modules[0].bias));
	assert_string_equal(
		symbols_resolve_data(r.symbols, (uint64_t)(uintptr_t)data_address(0), 5), expected);
	recorded_release(&r);
}

static void test_cxx_data_is_named_with_scopes(void **state)
{
	static const char *const with_dwarf[] = {
		"bank::Ledger::entry_lock",	"bank::accounts[2].lock",
		"bank::plain_accounts[1].lock", "bank::(anonymous namespace)::anonymous_lock",
		"bank::local_lock(int)::lock",
	};
	static const char *const without[] = {
		"bank::Ledger::entry_lock",    "bank::accounts+104",
		"bank::plain_accounts+56",     "bank::(anonymous namespace)::anonymous_lock",
		"bank::local_lock(int)::lock",
	};
	struct recorded r;

	(void)state;
	build("cxx.so", "c++", "-O2 -g -std=c++17", CXX_SOURCE, &r);
	CHECK_NAMES(&r, with_dwarf);
	recorded_release(&r);
	build("cxxplain.so", "c++", "-O2 -std=c++17", CXX_SOURCE, &r);
	CHECK_NAMES(&r, without);
	recorded_release(&r);
}

static void test_heap_and_stack_have_no_name(void **state)
{
	struct recorded r;
	struct symbols *symbols;
	void *heap = malloc(64);

	(void)state;
	build("heap.so", "cc", "-O2 -g", C_SOURCE, &r);
	symbols = recorded_symbols(&r);
	assert_null(symbols_resolve_data(symbols, (uint64_t)(uintptr_t)heap, 5));
	assert_null(symbols_resolve_data(symbols, (uint64_t)(uintptr_t)&heap, 5));
	assert_null(symbols_resolve_data(symbols, 0, 5));
	recorded_release(&r);
	free(heap);
}

/* ---- damage ---- */

/* Asks everything of whatever is at the module's path now; only that it comes back matters. */
static void ask_everything(struct recorded *r, void *(*data_address)(int))
{
	struct frames frames = recorded_frames(r);

	for (size_t i = 0; i < frames.count; i++)
		assert_non_null(frames.frame[i].module);
	for (int i = 0; i <= 10; i++)
		symbols_resolve_data(r->symbols, (uint64_t)(uintptr_t)data_address(i), 5);
}

static void test_file_cut_anywhere_does_no_harm(void **state)
{
	struct recorded r;
	char loaded[600];
	unsigned char *data;
	size_t bytes;
	void *(*data_address)(int);

	(void)state;
	build("cut.so", "cc", "-O2 -g", C_SOURCE, &r);
	recorded_call(&r, "outermost");
	data_address = (void *(*)(int))(uintptr_t)recorded_function(&r, "data_address");
	data = fixture_read(r.path, &bytes);
	snprintf(loaded, sizeof(loaded), "%s/cut.copy", directory);
	r.modules[0].path = loaded;
	for (size_t length = 0; length < bytes; length += length < 1024 ? 37 : 997) {
		fixture_write(loaded, data, length);
		ask_everything(&r, data_address);
	}
	free(data);
	recorded_release(&r);
}

static void test_changed_bytes_do_no_harm(void **state)
{
	struct recorded r;
	char loaded[600];
	unsigned char *data, *original;
	size_t bytes;
	uint64_t random = 1;
	void *(*data_address)(int);

	(void)state;
	build("changed.so", "cc", "-O2 -g", C_SOURCE, &r);
	recorded_call(&r, "outermost");
	data_address = (void *(*)(int))(uintptr_t)recorded_function(&r, "data_address");
	original = fixture_read(r.path, &bytes);
	data = malloc(bytes);
	assert_non_null(data);
	snprintf(loaded, sizeof(loaded), "%s/changed.copy", directory);
	r.modules[0].path = loaded;
	for (int round = 0; round < 300; round++) {
		memcpy(data, original, bytes);
		for (int change = 0; change < 8; change++) {
			size_t where;

			random = random * 6364136223846793005u + 1442695040888963407u;
			where = (size_t)(random >> 24) % bytes;
			data[where] = (unsigned char)(random >> 56);
		}
		fixture_write(loaded, data, bytes);
		ask_everything(&r, data_address);
	}
	free(data);
	free(original);
	recorded_release(&r);
}

/* ---- names ---- */

static void test_linker_names_become_readable(void **state)
{
	static const struct {
		const char *symbol, *name, *language;
	} rows[] = {
		{ "main", "main", NULL },
		{ "work.part.0", "work", NULL },
		{ "work.constprop.0.cold", "work", NULL },
		{ "work.lto_priv.3", "work", NULL },
		{ ".cold", ".cold", NULL },
		{ "a.dotted.name", "a.dotted.name", NULL },
		{ "_ZN3FooC2Ei", "Foo::Foo(int)", "c++" },
		{ "_ZN3FooC2Ei.part.0", "Foo::Foo(int)", "c++" },
		{ "_ZL4workPv", "work(void*)", "c++" },
		{ "_ZSt13__invoke_implIvPFvvEJEET_St14__invoke_otherOT0_DpOT1_",
		  "std::__invoke_impl<void, void (*)()>(std::__invoke_other, void (*&&)())",
		  "c++" },
		{ "_ZN4core3fmt5Write9write_str17h0123456789abcdefE", "core::fmt::Write::write_str",
		  "rust" },
		{ "_ZN4core3ptr40drop_in_place$LT$std..thread..Thread$GT$17h0123456789abcdefE.llvm.1234",
		  "core::ptr::drop_in_place<std::thread::Thread>", "rust" },
		{ "_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar", "rust" },
		{ "_RNvMs_NtCs1234_7mycrate4bankNtB4_7Account8transfer",
		  "<mycrate::bank::Account>::transfer", "rust" },
		{ "_Z", "_Z", NULL },
		{ "_R", "_R", NULL },
		{ "", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *language;
		char *name = demangle_function(rows[i].symbol, &language);

		assert_string_equal(name, rows[i].name);
		if (rows[i].language)
			assert_string_equal(language, rows[i].language);
		else
			assert_null(language);
		free(name);
	}
}

static int set_up(void **state)
{
	(void)state;
	directory = fixture_directory();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_remove(directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_and_elements_are_named),
		cmocka_unit_test(test_members_of_clang_are_named),
		cmocka_unit_test(test_symbol_table_gives_symbol_and_offset),
		cmocka_unit_test(test_stripped_statics_are_module_and_offset),
		cmocka_unit_test(test_cxx_data_is_named_with_scopes),
		cmocka_unit_test(test_heap_and_stack_have_no_name),
		cmocka_unit_test(test_file_cut_anywhere_does_no_harm),
		cmocka_unit_test(test_changed_bytes_do_no_harm),
		cmocka_unit_test(test_linker_names_become_readable),
	};

	return cmocka_run_group_tests_name("symbols_data", tests, set_up, tear_down);
}
