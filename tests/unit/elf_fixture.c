/* SPDX-License-Identifier: MIT */
/*
 * elf_fixture.c - compiles, loads and describes fixtures for the tests of symbolisation and of hookable.c.
 */
#define _GNU_SOURCE
#include "elf_fixture.h"

#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

char *fixture_directory(void)
{
	const char *root = getenv("TMPDIR");
	char *path = malloc(512);

	assert_non_null(path);
	snprintf(path, 512, "%s/thrum-symbols-XXXXXX", root && *root ? root : "/tmp");
	assert_non_null(mkdtemp(path));
	return path;
}

void fixture_remove(char *directory)
{
	fixture_command("rm -rf '%s'", directory);
	free(directory);
}

/* Sanitizers of the test must not end up in the compilers that it starts. */
static int run(const char *command)
{
	int status = system(command);

	return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool fixture_try(const char *format, ...)
{
	char command[4096];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_true(length > 0 && (size_t)length < sizeof(command));
	return !run(command);
}

void fixture_command(const char *format, ...)
{
	char command[4096];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_true(length > 0 && (size_t)length < sizeof(command));
	if (run(command))
		fail_msg("failed: %s", command);
}

bool fixture_has_program(const char *name)
{
	return fixture_try("command -v %s >/dev/null 2>&1", name);
}

const char *fixture_source(const char *source)
{
	static char path[1024];
	const char *slash = strrchr(__FILE__, '/');

	snprintf(path, sizeof(path), "%.*s/fixtures/%s", slash ? (int)(slash - __FILE__) : 1,
		 slash ? __FILE__ : ".", source);
	return path;
}

int fixture_line(const char *source, const char *name)
{
	FILE *file = fopen(fixture_source(source), "r");
	char text[512], mark[128];
	int line = 0, found = 0;

	assert_non_null(file);
	snprintf(mark, sizeof(mark), "/* LINE %s */", name);
	while (fgets(text, sizeof(text), file) && !found) {
		line++;
		if (strstr(text, mark))
			found = line;
	}
	fclose(file);
	if (!found)
		fail_msg("%s has no %s", source, mark);
	return found;
}

void fixture_write(const char *path, const void *data, size_t bytes)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, bytes, file), bytes);
	assert_int_equal(fclose(file), 0);
}

void *fixture_read(const char *path, size_t *ret_bytes)
{
	FILE *file = fopen(path, "r");
	char *data;
	long bytes;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	bytes = ftell(file);
	assert_true(bytes >= 0);
	rewind(file);
	data = malloc((size_t)bytes + 1);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, (size_t)bytes, file), bytes);
	fclose(file);
	*ret_bytes = (size_t)bytes;
	return data;
}

/* ---- the loaded module ---- */

struct wanted {
	const char *path;
	struct trace_module *module;
	uint8_t *build_id; /* 64 bytes */
};

static void read_build_id(struct wanted *w, const char *note, const char *end)
{
	while (note + sizeof(ElfW(Nhdr)) <= end) {
		const ElfW(Nhdr) *header = (const void *)note;
		const char *name = note + sizeof(*header);
		const char *desc = name + ((header->n_namesz + 3) & ~3u);

		if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4 &&
		    !memcmp(name, "GNU", 4)) {
			assert_true(header->n_descsz <= 64);
			memcpy(w->build_id, desc, header->n_descsz);
			w->module->build_id_bytes = header->n_descsz;
		}
		note = desc + ((header->n_descsz + 3) & ~3u);
	}
}

static int describe_one(struct dl_phdr_info *info, size_t bytes, void *cookie)
{
	struct wanted *w = cookie;
	struct trace_module *module = w->module;

	(void)bytes;
	if (strcmp(info->dlpi_name, w->path) != 0)
		return 0;
	*module = (struct trace_module){
		.start = UINT64_MAX,
		.bias = info->dlpi_addr,
		.unloaded_ns = UINT64_MAX,
		.build_id = w->build_id,
		.path = w->path,
	};
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + phdr->p_vaddr;

		if (phdr->p_type == PT_NOTE)
			read_build_id(w, (const char *)(uintptr_t)start,
				      (const char *)(uintptr_t)start + phdr->p_memsz);
		if (phdr->p_type != PT_LOAD)
			continue;
		if (start < module->start)
			module->start = start;
		if (start + phdr->p_memsz > module->end)
			module->end = start + phdr->p_memsz;
	}
	return 1;
}

static void describe(struct trace_module *module, const char *path, uint8_t *build_id)
{
	struct wanted wanted = { path, module, build_id };

	assert_int_equal(dl_iterate_phdr(describe_one, &wanted), 1);
}

void recorded_init(struct recorded *r, const char *path)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->path, sizeof(r->path), "%s", path);
	r->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!r->handle)
		fail_msg("dlopen: %s", dlerror());
	describe(&r->modules[0], r->path, r->build_id);
	r->stacks[1].ip = r->ips;
	r->process = (struct trace_process){
		.name = "1.1",
		.start_real_ns = UINT64_MAX / 2,
		.stacks = r->stacks,
		.stack_count = 2,
		.modules = r->modules,
		.module_count = 1,
	};
}

void recorded_describe_libc(struct recorded *r, size_t index)
{
	Dl_info info;

	/* By a function that no sanitizer stands in for. */
	assert_int_not_equal(dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &info), 0);
	snprintf(r->libc_path, sizeof(r->libc_path), "%s", info.dli_fname);
	describe(&r->modules[index], r->libc_path, r->libc_build_id);
	r->process.module_count = index + 1;
}

void recorded_release(struct recorded *r)
{
	symbols_free(r->symbols);
	dlclose(r->handle);
}

void *recorded_function(struct recorded *r, const char *name)
{
	void *function = dlsym(r->handle, name);

	assert_non_null(function);
	return function;
}

static struct recorded *probing;

/* The first entries are the probe's own, and a sanitizer's: not in the module. */
static void probe(void)
{
	const struct trace_module *module = &probing->modules[0];
	void *found[FIXTURE_IPS];
	int count = backtrace(found, FIXTURE_IPS), first = 0;

	while (first < count && ((uint64_t)(uintptr_t)found[first] < module->start ||
				 (uint64_t)(uintptr_t)found[first] > module->end))
		first++;
	for (int i = first; i < count; i++)
		probing->ips[i - first] = (uint64_t)(uintptr_t)found[i];
	probing->stacks[1].frames = (uint32_t)(count - first);
}

static jmp_buf way_out;

static void probe_and_leave(void)
{
	probe();
	longjmp(way_out, 1);
}

void recorded_call_leaving(struct recorded *r, const char *function)
{
	void (*call)(void (*)(void)) =
		(void (*)(void (*)(void)))(uintptr_t)recorded_function(r, function);

	probing = r;
	if (!setjmp(way_out))
		call(probe_and_leave);
}

void recorded_call(struct recorded *r, const char *function)
{
	void (*call)(void (*)(void)) =
		(void (*)(void (*)(void)))(uintptr_t)recorded_function(r, function);

	probing = r;
	call(probe);
	assert_true(r->stacks[1].frames > 0);
}

struct symbols *recorded_symbols(struct recorded *r)
{
	symbols_free(r->symbols);
	r->symbols = NULL;
	assert_int_equal(symbols_new(&r->process, &r->symbols, NULL), 0);
	return r->symbols;
}

struct frames recorded_frames(struct recorded *r)
{
	return symbols_resolve_stack(recorded_symbols(r), 1, 5);
}
