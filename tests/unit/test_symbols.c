/* SPDX-License-Identifier: MIT */
/*
 * test_symbols.c - code addresses of fixtures, compiled and stripped in many ways, come out as the source says; and
 * nothing is claimed about files that are not the recorded ones.
 */
#include "analyzer/symbols.h"
#include "analyzer/symbols_file.h"
#include "elf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define C_SOURCE "symbols_c.c"
#define CXX_SOURCE "symbols_cxx.cc"

static char *directory; /* of all tests of this program */

/* Compiles the C fixture to NAME in the directory and returns its path. */
static const char *build_c(const char *name, const char *compiler, const char *flags)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fixture_command("cd '%s' && %s -shared -fPIC -pthread %s -o '%s' '%s'", directory, compiler,
			flags, path, fixture_source(C_SOURCE));
	return path;
}

static const char *build_cxx(const char *name, const char *flags)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fixture_command("c++ -shared -fPIC -std=c++17 -pthread %s -o '%s' '%s'", flags, path,
			fixture_source(CXX_SOURCE));
	return path;
}

static void expect_frame(const struct frames *frames, size_t index, const char *function,
			 const char *source, const char *mark, bool inlined)
{
	const struct frame *frame;

	assert_true(index < frames->count);
	frame = &frames->frame[index];
	if (function)
		assert_string_equal(frame->function, function);
	else
		assert_null(frame->function);
	if (mark) {
		const char *slash;

		assert_non_null(frame->file);
		slash = strrchr(frame->file, '/');
		assert_string_equal(slash ? slash + 1 : frame->file, source);
		assert_int_equal(frame->line, fixture_line(source, mark));
	} else {
		assert_null(frame->file);
		assert_int_equal(frame->line, 0);
	}
	assert_int_equal(frame->inlined, inlined);
}

static void expect_full_stack(const struct frames *frames)
{
	expect_frame(frames, 0, "innermost", C_SOURCE, "innermost", true);
	expect_frame(frames, 1, "middle", C_SOURCE, "middle", true);
	expect_frame(frames, 2, "hidden", C_SOURCE, "hidden", false);
	expect_frame(frames, 3, "outermost", C_SOURCE, "outermost", false);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(frames->frame[i].language, "c");
}

/* ---- DWARF ---- */

static void check_full_stack(const char *name, const char *compiler, const char *flags)
{
	struct recorded r;
	struct frames frames;

	recorded_init(&r, build_c(name, compiler, flags));
	recorded_call(&r, "outermost");
	frames = recorded_frames(&r);
	expect_full_stack(&frames);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(frames.frame[i].module, r.path);
		assert_int_equal(strlen(frames.frame[i].build_id), 2 * r.modules[0].build_id_bytes);
	}
	assert_int_equal(frames.frame[0].offset, r.ips[0] - 1 - r.modules[0].bias);
	assert_int_equal(frames.frame[3].offset, r.ips[1] - 1 - r.modules[0].bias);
	recorded_release(&r);
}

static void test_inlined_calls_become_frames_with_their_call_lines(void **state)
{
	(void)state;
	check_full_stack("dwarf5.so", "cc", "-O2 -g -gdwarf-5");
	check_full_stack("dwarf4.so", "cc", "-O2 -g -gdwarf-4");
	check_full_stack("plain.so", "cc", "-O0 -g");
	check_full_stack("zlib.so", "cc", "-O2 -g -gz=zlib");
	check_full_stack("lto.so", "cc", "-O2 -g -flto");
}

static void test_split_dwarf_is_followed(void **state)
{
	(void)state;
	check_full_stack("split5.so", "cc", "-O2 -g -gsplit-dwarf -gdwarf-5");
	check_full_stack("split4.so", "cc", "-O2 -g -gsplit-dwarf -gdwarf-4");
}

static void test_code_of_clang_without_aranges_is_found(void **state)
{
	(void)state;
	if (!fixture_has_program("clang"))
		skip();
	check_full_stack("clang5.so", "clang", "-O2 -g -gdwarf-5");
	check_full_stack("clang4.so", "clang",
			 "-O2 -g -gdwarf-4 -ffunction-sections -Wl,--gc-sections");
}

static void test_cxx_names_come_with_scopes_and_parameters(void **state)
{
	struct recorded r;
	struct frames frames;

	(void)state;
	recorded_init(&r, build_cxx("cxx.so", "-O2 -g"));
	recorded_call(&r, "call_member");
	frames = recorded_frames(&r);
	assert_true(frames.count >= 3);
	assert_string_equal(frames.frame[0].function,
			    "bank::Ledger::add(void (*)(), int)::{lambda()}::operator()");
	assert_int_equal(frames.frame[0].line, fixture_line(CXX_SOURCE, "lambda"));
	assert_true(frames.frame[0].inlined);
	expect_frame(&frames, 1, "bank::Ledger::add(void (*)(), int)", CXX_SOURCE, "add", false);
	expect_frame(&frames, 2, "call_member", CXX_SOURCE, "call_member", false);
	assert_string_equal(frames.frame[1].language, "c++");

	recorded_call(&r, "call_template");
	frames = recorded_frames(&r);
	expect_frame(&frames, 0, "bank::Ledger::check<unsigned long>(void (*)(), unsigned long)",
		     CXX_SOURCE, "check", false);
	recorded_release(&r);
}

static void test_call_at_the_end_of_a_function_keeps_its_function(void **state)
{
	struct recorded r;
	struct frames frames;

	(void)state;
	recorded_init(&r, build_c("noreturn.so", "cc", "-O2 -g"));
	recorded_call_leaving(&r, "never_returns");
	frames = recorded_frames(&r);
	expect_frame(&frames, 0, "never_returns", C_SOURCE, "never_returns", false);
	recorded_release(&r);
}

static void test_frame_outside_a_signal_frame_is_exact(void **state)
{
	struct recorded r;
	struct frames frames;
	uint64_t entry;

	(void)state;
	recorded_init(&r, build_c("signal.so", "cc", "-O2 -g"));
	recorded_call(&r, "raise_signal");
	frames = recorded_frames(&r);
	expect_frame(&frames, 0, "on_signal", C_SOURCE, "on_signal", false);

	/* Add libc, where the trampoline is, and let the signal have hit the first instruction of a function. */
	entry = (uint64_t)(uintptr_t)recorded_function(&r, "outermost");
	r.ips[2] = entry;
	r.stacks[1].frames = 3;
	recorded_describe_libc(&r, 1);
	frames = recorded_frames(&r);
	assert_int_equal(frames.count, 3);
	assert_string_equal(frames.frame[1].function, "<signal handler called>");
	assert_string_equal(frames.frame[2].function, "outermost");
	assert_int_equal(frames.frame[2].offset, entry - r.modules[0].bias);
	recorded_release(&r);
}

/* ---- without DWARF ---- */

static void test_symbol_table_alone_gives_functions(void **state)
{
	struct recorded r;
	struct frames frames;

	(void)state;
	recorded_init(&r, build_c("symtab.so", "cc", "-O2"));
	recorded_call(&r, "outermost");
	frames = recorded_frames(&r);
	expect_frame(&frames, 0, "hidden", NULL, NULL, false);
	expect_frame(&frames, 1, "outermost", NULL, NULL, false);
	assert_null(frames.frame[0].language);
	recorded_release(&r);
}

static void test_stripped_static_function_has_no_name(void **state)
{
	struct recorded r;
	struct frames frames;

	(void)state;
	recorded_init(&r, build_c("stripped.so", "cc", "-O2 -s"));
	recorded_call(&r, "outermost");
	frames = recorded_frames(&r);
	expect_frame(&frames, 0, NULL, NULL, NULL, false);
	expect_frame(&frames, 1, "outermost", NULL, NULL, false);
	assert_int_equal(frames.frame[0].offset, r.ips[0] - 1 - r.modules[0].bias);
	recorded_release(&r);
}

static void test_debug_file_beside_the_module_is_used(void **state)
{
	static const char *const build_ids[] = { "sha1", "none" };
	char path[600];
	struct recorded r;
	struct frames frames;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char flags[64];

		snprintf(flags, sizeof(flags), "-O2 -g -Wl,--build-id=%s", build_ids[i]);
		build_c("linked.so", "cc", flags);
		fixture_command(
			"cd '%s' && mkdir -p .debug && "
			"objcopy --only-keep-debug linked.so .debug/linked.dbg && strip linked.so && "
			"objcopy --add-gnu-debuglink=.debug/linked.dbg linked.so linked%zu.so",
			directory, i);
		snprintf(path, sizeof(path), "%s/linked%zu.so", directory, i);
		recorded_init(&r, path);
		recorded_call(&r, "outermost");
		frames = recorded_frames(&r);
		expect_full_stack(&frames);

		/* A debug file of another build must not be believed. */
		fixture_command(
			"cd '%s' && cc -shared -fPIC -g -O1 -Wl,--build-id=%s -DOTHER=1 '%s' -o .debug/linked.dbg",
			directory, build_ids[i], fixture_source(C_SOURCE));
		frames = recorded_frames(&r);
		expect_frame(&frames, 0, NULL, NULL, NULL, false);
		recorded_release(&r);
	}
}

static void test_added_directory_is_searched_by_build_id(void **state)
{
	struct symbols_files *files = symbols_files_new();
	struct symbols *symbols;
	struct recorded r;
	struct frames frames;
	char id[129] = "", extra[600];

	(void)state;
	recorded_init(&r, build_c("moved.so", "cc", "-O2 -g"));
	recorded_call(&r, "outermost");
	for (size_t i = 0; i < r.modules[0].build_id_bytes; i++)
		sprintf(id + 2 * i, "%02x", r.build_id[i]);
	snprintf(extra, sizeof(extra), "%s/extra", directory);
	fixture_command("cd '%s' && mkdir -p extra/.build-id/%.2s && "
			"objcopy --only-keep-debug moved.so extra/.build-id/%.2s/%s.debug && "
			"strip -o extra/moved.so moved.so && rm moved.so",
			directory, id, id, id + 2);

	frames = recorded_frames(&r);
	expect_frame(&frames, 0, NULL, NULL, NULL, false);
	symbols_files_add_directory(files, extra);
	assert_int_equal(symbols_new_shared(&r.process, files, &symbols, NULL), 0);
	frames = symbols_resolve_stack(symbols, 1, 5);
	expect_full_stack(&frames);
	symbols_free(symbols);
	symbols_files_free(files);
	recorded_release(&r);
}

static void test_mini_debug_info_gives_static_functions(void **state)
{
	char path[600];
	struct recorded r;
	struct frames frames;

	(void)state;
	if (!fixture_has_program("xz"))
		skip();
	build_c("mini.so", "cc", "-O2 -g");
	fixture_command(
		"cd '%s' && objcopy --only-keep-debug mini.so mini.full && strip -g mini.full && xz -k -f mini.full && "
		"strip mini.so && objcopy --add-section .gnu_debugdata=mini.full.xz mini.so",
		directory);
	snprintf(path, sizeof(path), "%s/mini.so", directory);
	recorded_init(&r, path);
	recorded_call(&r, "outermost");
	frames = recorded_frames(&r);
	expect_frame(&frames, 0, "hidden", NULL, NULL, false);
	recorded_release(&r);
}

/* ---- the wrong file ---- */

static void expect_unknown(struct recorded *r)
{
	struct frames frames = recorded_frames(r);

	assert_true(frames.count >= 2);
	for (size_t i = 0; i < 2; i++) {
		expect_frame(&frames, i, NULL, NULL, NULL, false);
		assert_string_equal(frames.frame[i].module, r->modules[0].path);
		assert_int_equal(frames.frame[i].offset, r->ips[i] - 1 - r->modules[0].bias);
	}
}

static void test_other_build_gives_no_names(void **state)
{
	struct recorded r;

	(void)state;
	recorded_init(&r, build_c("build.so", "cc", "-O2 -g"));
	recorded_call(&r, "outermost");
	assert_true(r.modules[0].build_id_bytes > 0);
	r.build_id[3] ^= 1;
	expect_unknown(&r);
	r.build_id[3] ^= 1;
	r.modules[0].build_id_bytes = 0;
	expect_unknown(&r);
	recorded_release(&r);
}

static void test_missing_file_gives_module_and_offset(void **state)
{
	struct recorded r;

	(void)state;
	recorded_init(&r, build_c("gone.so", "cc", "-O2 -g"));
	recorded_call(&r, "outermost");
	assert_int_equal(unlink(r.path), 0);
	expect_unknown(&r);
	assert_int_equal(mkfifo(r.path, 0600), 0);
	expect_unknown(&r); /* and does not wait for a writer */
	recorded_release(&r);
}

static void test_file_without_build_id_counts_only_if_older_than_the_run(void **state)
{
	struct recorded r;
	struct frames frames;
	struct stat stat_buffer;

	(void)state;
	recorded_init(&r, build_c("noid.so", "cc", "-O2 -g -Wl,--build-id=none"));
	recorded_call(&r, "outermost");
	assert_int_equal(r.modules[0].build_id_bytes, 0);
	assert_int_equal(stat(r.path, &stat_buffer), 0);
	r.process.start_real_ns = ((uint64_t)stat_buffer.st_mtime + 1) * 1000000000u;
	frames = recorded_frames(&r);
	expect_full_stack(&frames);
	assert_null(frames.frame[0].build_id);
	r.process.start_real_ns -= 2000000000u;
	expect_unknown(&r);
	r.modules[0].loaded_ns = 2000000000u; /* built during the run, then loaded */
	frames = recorded_frames(&r);
	expect_full_stack(&frames);
	recorded_release(&r);
}

static void test_deleted_mark_is_looked_through_when_the_build_id_fits(void **state)
{
	char path[640];
	struct recorded r;
	struct frames frames;

	(void)state;
	recorded_init(&r, build_c("deleted.so", "cc", "-O2 -g"));
	recorded_call(&r, "outermost");
	snprintf(path, sizeof(path), "%s (deleted)", r.path);
	r.modules[0].path = path;
	frames = recorded_frames(&r);
	expect_full_stack(&frames);
	assert_string_equal(frames.frame[0].module, path);
	r.build_id[0] ^= 1;
	expect_unknown(&r);
	recorded_release(&r);
}

/* ---- modules over time ---- */

static void test_frames_of_thrum_are_left_out(void **state)
{
	struct recorded r;
	struct frames frames;

	(void)state;
	recorded_init(&r, build_c("thrum.so", "cc", "-O2 -g"));
	recorded_call(&r, "outermost");
	r.stacks[1].frames = 2;
	r.modules[0].is_thrum = true;
	frames = recorded_frames(&r);
	assert_int_equal(frames.count, 0);
	recorded_release(&r);
}

static void test_address_outside_all_modules_is_said_so(void **state)
{
	struct recorded r;
	struct frames frames;

	(void)state;
	recorded_init(&r, build_c("jit.so", "cc", "-O2 -g"));
	recorded_call(&r, "outermost");
	r.stacks[1].frames = 2;
	r.ips[0] = 0x1234;
	frames = recorded_frames(&r);
	assert_int_equal(frames.count, 2);
	expect_frame(&frames, 0, NULL, NULL, NULL, false);
	assert_string_equal(frames.frame[0].module, SYMBOLS_NO_MODULE);
	assert_int_equal(frames.frame[0].offset, 0x1233);
	assert_null(symbols_resolve_function(r.symbols, 0x1234, 0).function);
	assert_null(symbols_resolve_data(r.symbols, 0x1234, 0));
	recorded_release(&r);
}

static void test_module_of_the_time_counts_where_a_range_was_reused(void **state)
{
	struct recorded r;
	struct symbols *symbols;
	struct frames frames;

	(void)state;
	recorded_init(&r, build_c("reused.so", "cc", "-O2 -g"));
	recorded_call(&r, "outermost");
	r.modules[1] = r.modules[0];
	r.modules[1].path = "/nowhere/first.so";
	r.modules[1].loaded_ns = 100;
	r.modules[1].unloaded_ns = 200;
	r.modules[0].loaded_ns = 300;
	r.process.module_count = 2;
	symbols = recorded_symbols(&r);
	frames = symbols_resolve_stack(symbols, 1, 150);
	assert_string_equal(frames.frame[0].module, "/nowhere/first.so");
	assert_null(frames.frame[0].function);
	frames = symbols_resolve_stack(symbols, 1, 350);
	expect_full_stack(&frames);
	frames = symbols_resolve_stack(symbols, 1, SYMBOLS_TIME_UNKNOWN);
	expect_full_stack(&frames);
	frames = symbols_resolve_stack(symbols, 1, 50);
	assert_string_equal(frames.frame[0].module, "/nowhere/first.so");
	recorded_release(&r);
}

static void test_unknown_stack_ids_are_empty(void **state)
{
	struct recorded r;
	struct symbols *symbols;

	(void)state;
	recorded_init(&r, build_c("ids.so", "cc", "-O2 -g"));
	symbols = recorded_symbols(&r);
	assert_int_equal(symbols_resolve_stack(symbols, 0, 0).count, 0);
	assert_int_equal(symbols_resolve_stack(symbols, 1, 0).count, 0);
	assert_int_equal(symbols_resolve_stack(symbols, 2, 0).count, 0);
	assert_int_equal(symbols_resolve_stack(symbols, UINT32_MAX, 0).count, 0);
	recorded_release(&r);
}

static void test_start_routine_has_the_name_of_its_function(void **state)
{
	struct recorded r;
	struct symbols *symbols;
	uint64_t entry;

	(void)state;
	recorded_init(&r, build_c("start.so", "cc", "-O2 -g"));
	symbols = recorded_symbols(&r);
	entry = (uint64_t)(uintptr_t)recorded_function(&r, "static_local");
	assert_string_equal(symbols_resolve_function(symbols, entry, 0).function, "static_local");
	recorded_release(&r);
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
		cmocka_unit_test(test_inlined_calls_become_frames_with_their_call_lines),
		cmocka_unit_test(test_split_dwarf_is_followed),
		cmocka_unit_test(test_code_of_clang_without_aranges_is_found),
		cmocka_unit_test(test_cxx_names_come_with_scopes_and_parameters),
		cmocka_unit_test(test_call_at_the_end_of_a_function_keeps_its_function),
		cmocka_unit_test(test_frame_outside_a_signal_frame_is_exact),
		cmocka_unit_test(test_symbol_table_alone_gives_functions),
		cmocka_unit_test(test_stripped_static_function_has_no_name),
		cmocka_unit_test(test_debug_file_beside_the_module_is_used),
		cmocka_unit_test(test_added_directory_is_searched_by_build_id),
		cmocka_unit_test(test_mini_debug_info_gives_static_functions),
		cmocka_unit_test(test_other_build_gives_no_names),
		cmocka_unit_test(test_missing_file_gives_module_and_offset),
		cmocka_unit_test(test_file_without_build_id_counts_only_if_older_than_the_run),
		cmocka_unit_test(test_deleted_mark_is_looked_through_when_the_build_id_fits),
		cmocka_unit_test(test_frames_of_thrum_are_left_out),
		cmocka_unit_test(test_address_outside_all_modules_is_said_so),
		cmocka_unit_test(test_module_of_the_time_counts_where_a_range_was_reused),
		cmocka_unit_test(test_unknown_stack_ids_are_empty),
		cmocka_unit_test(test_start_routine_has_the_name_of_its_function),
	};

	return cmocka_run_group_tests_name("symbols", tests, set_up, tear_down);
}
