/* SPDX-License-Identifier: MIT */
/*
 * test_symbols_places.c - code that lies in no file: the kernel's vdso, and what programs compile for themselves; and
 * directories full of files, of which the right one is taken.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dl_iterate_phdr */
#endif
#include "analyzer/symbols_file.h"
#include "analyzer/symbols_index.h"
#include "analyzer/symbols_perf_map.h"
#include "elf_fixture.h"

#include <dlfcn.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char *directory;

static const char *path_of(const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

/* ---- vdso ---- */

struct vdso {
	uint64_t bias;
	uint8_t build_id[64];
	size_t build_id_bytes;
};

static int read_vdso(struct dl_phdr_info *info, size_t bytes, void *cookie)
{
	struct vdso *vdso = cookie;

	(void)bytes;
	if (!strstr(info->dlpi_name, "vdso"))
		return 0;
	vdso->bias = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		const char *at = (const char *)(uintptr_t)(info->dlpi_addr + header->p_vaddr);
		const char *end = at + header->p_memsz;

		while (header->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) < end) {
			const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(const void *)at;
			const char *data = at + sizeof(*note) + ((note->n_namesz + 3) & ~3u);

			if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
			    !memcmp(note + 1, "GNU", 4)) {
				vdso->build_id_bytes = note->n_descsz;
				memcpy(vdso->build_id, data, note->n_descsz);
			}
			at = data + ((note->n_descsz + 3) & ~3u);
		}
	}
	return 1;
}

static void test_functions_of_the_vdso_have_names(void **state)
{
	void *handle = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
	void *function = handle ? dlsym(handle, "__vdso_clock_gettime") : NULL;
	struct symbols_files *files = symbols_files_new();
	const struct symbols_calls *calls;
	struct symbols_file *file;
	struct vdso vdso = { 0 };

	(void)state;
	dl_iterate_phdr(read_vdso, &vdso);
	if (!function || !vdso.build_id_bytes)
		skip();
	file = symbols_files_find(files, "[vdso]", vdso.build_id, vdso.build_id_bytes, 0);
	assert_non_null(file);
	calls = symbols_file_resolve(file, (uint64_t)(uintptr_t)function - vdso.bias);
	assert_int_equal(calls->count, 1);
	assert_non_null(strstr(calls->call[0].function, "clock_gettime"));

	vdso.build_id[0] ^= 1; /* of another kernel */
	assert_null(symbols_files_find(files, "[vdso]", vdso.build_id, vdso.build_id_bytes, 0));
	symbols_files_free(files);
}

/* ---- perf maps ---- */

static const char map_text[] = "7f0000001000 100 LazyCompile:*work app.js:12\n"
			       "7f0000001100 80 first use\n"
			       "7f0000001100 80 second use\n"
			       "no line\n"
			       "7f0000001200 0 nothing\n"
			       "7f0000001300\n"
			       "ffffffffffffff00 200 around\n"
			       "7f0000002000 10 Foo::bar(int, char const*)";

static void check_split(const char *name, const char *function, const char *file, int line)
{
	struct perf_map_part f = { 0 }, at = { 0 };
	char got[256], want[256];
	int n = 0;

	assert_int_equal(perf_map_split(name, &f, &at, &n), file != NULL);
	if (!file)
		return;
	snprintf(got, sizeof(got), "%.*s|%.*s|%d", f.length, f.text, at.length, at.text, n);
	snprintf(want, sizeof(want), "%s|%s|%d", function, file, line);
	assert_string_equal(got, want);
}

static void test_perf_map_splits_names_of_scripts(void **state)
{
	(void)state;
	check_split("LazyCompile:~readList /srv/a b.js:10", "readList", "/srv/a b.js", 10);
	check_split("Function:^emit node:events:464", "emit", "node:events", 464);
	check_split("JS:*get size file:///srv/app.mjs:7:22", "get size", "file:///srv/app.mjs", 7);
	check_split("LazyCompile:~ /srv/app.js:13", "", "/srv/app.js", 13);
	check_split("LazyCompile:*work app.js:12", "work", "app.js", 12);
	check_split("Builtin:ArrayMap", NULL, NULL, 0);
	check_split("py::work:/srv/app.py", NULL, NULL, 0);
	check_split("LazyCompile:", NULL, NULL, 0);
	check_split("LazyCompile:~x nowhere", NULL, NULL, 0);
}

static void test_perf_map_names_ranges(void **state)
{
	struct perf_map *map;

	(void)state;
	fixture_write(path_of("map"), map_text, strlen(map_text));
	map = perf_map_read(path_of("map"), 0);
	assert_non_null(map);
	assert_null(perf_map_find(map, 0x7f0000000fff));
	assert_string_equal(perf_map_find(map, 0x7f0000001000), "LazyCompile:*work app.js:12");
	assert_string_equal(perf_map_find(map, 0x7f00000010ff), "LazyCompile:*work app.js:12");
	assert_null(perf_map_find(map, 0x7f0000001100)); /* two had it: which one is not known */
	assert_null(perf_map_find(map, 0x7f0000001200));
	assert_null(perf_map_find(map, 0x7f0000001300));
	assert_string_equal(perf_map_find(map, 0x7f000000200f), "Foo::bar(int, char const*)");
	assert_null(perf_map_find(map, 0x7f0000002010));
	assert_null(perf_map_find(map, 0xffffffffffffff80));
	perf_map_free(map);
}

static void test_perf_map_of_an_older_process_is_not_believed(void **state)
{
	uint64_t now_ns = (uint64_t)time(NULL) * 1000000000u;

	(void)state;
	fixture_write(path_of("old"), map_text, strlen(map_text));
	assert_null(perf_map_read(path_of("old"), now_ns + 5000000000u));
	assert_null(perf_map_read(path_of("none"), 0));
	fixture_write(path_of("empty"), "", 0);
	assert_null(perf_map_read(path_of("empty"), 0));
	fixture_command("cd '%s' && rm -f pipe && mkfifo pipe && ln -sf map link", directory);
	assert_null(perf_map_read(path_of("pipe"), 0)); /* and does not wait for a writer */
	assert_null(perf_map_read(path_of("link"), 0)); /* anybody can make one in /tmp */
}

static void test_code_of_a_jit_has_the_name_that_its_compiler_left(void **state)
{
	struct recorded r;
	struct frames frames;
	char path[64], line[128];

	(void)state;
	fixture_command("cd '%s' && cc -shared -fPIC -pthread -O2 -g -o jit.so '%s'", directory,
			fixture_source("symbols_c.c"));
	recorded_init(&r, path_of("jit.so"));
	recorded_call(&r, "outermost");
	r.stacks[1].frames = 2;
	r.ips[0] = 0x1234;
	r.process.pid = 0x7ffffff0u; /* no process has it */
	r.process.start_real_ns = 0;
	snprintf(path, sizeof(path), "/tmp/perf-%u.map", r.process.pid);
	snprintf(line, sizeof(line), "1200 40 compiled_by_itself\n");
	fixture_write(path, line, strlen(line));
	frames = recorded_frames(&r);
	unlink(path);
	assert_int_equal(frames.count, 2);
	assert_string_equal(frames.frame[0].function, "compiled_by_itself");
	assert_string_equal(frames.frame[0].module, SYMBOLS_JIT);
	assert_null(frames.frame[0].file);
	recorded_release(&r);
}

/* ---- directories ---- */

static void test_index_tells_code_from_debug_files(void **state)
{
	struct symbols_index *index = symbols_index_new();
	struct recorded r;

	(void)state;
	fixture_command(
		"cd '%s' && cc -shared -fPIC -pthread -O2 -g -o full.so '%s' && mkdir -p a/b c && "
		"objcopy --only-keep-debug full.so a/b/debug && strip -o c/plain full.so && "
		"strip -g -o c/names full.so && echo text >c/text && mkfifo c/pipe && ln -s . c/loop",
		directory, fixture_source("symbols_c.c"));
	recorded_init(&r, path_of("full.so"));
	symbols_index_add(index, path_of("a"));
	symbols_index_add(index, path_of("c"));
	symbols_index_add(index, path_of("c/text"));
	symbols_index_add(index, path_of("not there"));

#define FIND(kind, nth) \
	symbols_index_find(index, r.build_id, r.modules[0].build_id_bytes, kind, nth)
	assert_string_equal(FIND(INDEXED_DEBUG, 0), path_of("a/b/debug"));
	assert_null(FIND(INDEXED_DEBUG, 1));
	assert_string_equal(FIND(INDEXED_CODE, 0), path_of("c/names"));
	assert_string_equal(FIND(INDEXED_CODE, 1), path_of("c/plain"));
	assert_null(FIND(INDEXED_CODE, 2));
	assert_string_equal(FIND(INDEXED_NAMES, 0), path_of("a/b/debug"));
	assert_string_equal(FIND(INDEXED_NAMES, 1), path_of("c/names"));
	assert_non_null(FIND(INDEXED_ANY, 2));
	assert_null(FIND(INDEXED_ANY, 3));
	r.build_id[2] ^= 1;
	assert_null(FIND(INDEXED_ANY, 0));
	assert_null(symbols_index_find(index, r.build_id, 0, INDEXED_ANY, 0));
#undef FIND
	symbols_index_free(index);
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
		cmocka_unit_test(test_functions_of_the_vdso_have_names),
		cmocka_unit_test(test_perf_map_names_ranges),
		cmocka_unit_test(test_perf_map_splits_names_of_scripts),
		cmocka_unit_test(test_perf_map_of_an_older_process_is_not_believed),
		cmocka_unit_test(test_code_of_a_jit_has_the_name_that_its_compiler_left),
		cmocka_unit_test(test_index_tells_code_from_debug_files),
	};

	return cmocka_run_group_tests_name("symbols_places", tests, set_up, tear_down);
}
