/* SPDX-License-Identifier: MIT */
/*
 * symbols_file.c - the cache of opened module files, and what ELF and DWARF together say about an
 * address.
 *
 * Each file has a Dwfl session of its own, in which it lies at its own addresses (bias 0). So the
 * same file serves processes that loaded it elsewhere, and modules that used one range after the
 * other do not meet.
 */
#include "symbols_file.h"

#include "demangle.h"
#include "symbols_arena.h"
#include "symbols_dwarf.h"
#include "symbols_elf.h"
#include "symbols_find.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBUG_PATH ":.debug:/usr/lib/debug"
#define DELETED " (deleted)"

struct symbols_slot {
	uint64_t address;
	struct symbols_calls *calls; /* NULL = free */
};

struct symbols_file {
	struct symbols_file *next;
	struct symbols_files *files; /* borrowed: it owns this */
	char *path;
	uint8_t *build_id;
	size_t build_id_bytes;
	bool present; /* a file that fits was found */

	struct symbols_arena arena;
	Dwfl *dwfl;
	Dwfl_Module *module; /* of dwfl */
	bool tables_read, cfi_read;
	struct symbols_elf elf;
	struct symbols_dwarf *dwarf; /* owns; NULL = none */
	Dwarf_CFI *cfi;		     /* of module; NULL = none */
	GElf_Addr cfi_bias;

	struct symbols_slot *slots; /* owns; open addressing by address */
	size_t slot_count, used;    /* slot_count is a power of two */
};

struct symbols_files {
	struct symbols_file *first; /* owns */
	char **directories;	    /* owns */
	size_t directory_count, directory_capacity;
	char *debuginfo_path; /* owns */
	Dwfl_Callbacks callbacks;
};

/* ---- the cache ---- */

static char *checked_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

struct symbols_files *symbols_files_new(void)
{
	struct symbols_files *files = calloc(1, sizeof(*files));

	if (!files)
		abort();
	files->debuginfo_path = checked_copy(DEBUG_PATH);
	files->callbacks.find_debuginfo = symbols_find_debuginfo;
	files->callbacks.section_address = dwfl_offline_section_address;
	files->callbacks.debuginfo_path = &files->debuginfo_path;
	return files;
}

static void file_free(struct symbols_file *file)
{
	symbols_dwarf_free(file->dwarf);
	symbols_elf_release(&file->elf);
	if (file->dwfl)
		dwfl_end(file->dwfl);
	symbols_arena_release(&file->arena);
	free(file->slots);
	free(file->build_id);
	free(file->path);
	free(file);
}

void symbols_files_free(struct symbols_files *files)
{
	if (!files)
		return;
	for (struct symbols_file *file = files->first, *next; file; file = next) {
		next = file->next;
		file_free(file);
	}
	for (size_t i = 0; i < files->directory_count; i++)
		free(files->directories[i]);
	free(files->directories);
	free(files->debuginfo_path);
	free(files);
}

void symbols_files_add_directory(struct symbols_files *files, const char *directory)
{
	char *absolute = realpath(directory, NULL), *path;
	size_t bytes;

	if (!absolute)
		return; /* nothing can lie there */
	files->directories = symbols_array_grow(files->directories, files->directory_count,
						&files->directory_capacity,
						sizeof(*files->directories));
	files->directories[files->directory_count++] = absolute;
	/* Searches by build-id look only at absolute directories of this path. */
	bytes = strlen(files->debuginfo_path) + strlen(absolute) + 2;
	path = malloc(bytes);
	if (!path)
		abort();
	snprintf(path, bytes, "%s:%s", files->debuginfo_path, absolute);
	free(files->debuginfo_path);
	files->debuginfo_path = path;
}

static int try_open(const struct symbols_identity *identity, char ret_path[PATH_MAX], int length)
{
	return length > 0 && length < PATH_MAX ? symbols_find_open(ret_path, identity) : -1;
}

static int open_in_directory(const char *directory, const char *path,
			     const struct symbols_identity *identity, char ret_path[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int fd, length;

	fd = try_open(identity, ret_path, snprintf(ret_path, PATH_MAX, "%s/%s", directory, path));
	if (fd < 0)
		fd = try_open(
			identity, ret_path,
			snprintf(ret_path, PATH_MAX, "%s/%s", directory, slash ? slash + 1 : path));
	if (fd >= 0 || identity->build_id_bytes < 2)
		return fd;
	length = snprintf(ret_path, PATH_MAX, "%s/.build-id/%02x/", directory,
			  identity->build_id[0]);
	for (size_t i = 1; i < identity->build_id_bytes && length > 0 && length < PATH_MAX - 3; i++)
		length += snprintf(ret_path + length, 3, "%02x", identity->build_id[i]);
	return try_open(identity, ret_path, length);
}

/* Opens what was recorded as `path`, where it was or in the directories added. */
static int open_module(struct symbols_files *files, const char *path,
		       const struct symbols_identity *identity, char ret_path[PATH_MAX])
{
	char plain[PATH_MAX];
	size_t length = strlen(path);
	int fd = -1;

	if (!length || length >= sizeof(plain) || path[0] == '[')
		return -1;
	memcpy(plain, path, length + 1);
	if (length > strlen(DELETED) && !strcmp(path + length - strlen(DELETED), DELETED)) {
		if (!identity->build_id_bytes)
			return -1; /* whatever has its name now is another file */
		plain[length - strlen(DELETED)] = '\0';
	}
	fd = try_open(identity, strcpy(ret_path, plain), (int)strlen(plain));
	for (size_t i = 0; i < files->directory_count && fd < 0; i++)
		fd = open_in_directory(files->directories[i], plain, identity, ret_path);
	return fd;
}

/* Hands `fd` over to a new session. */
static bool open_session(struct symbols_file *file, const char *path, int fd)
{
	file->dwfl = dwfl_begin(&file->files->callbacks);
	if (!file->dwfl) {
		close(fd);
		return false;
	}
	dwfl_report_begin(file->dwfl);
	file->module = dwfl_report_elf(file->dwfl, path, path, fd, 0, true);
	if (!file->module)
		close(fd);
	dwfl_report_end(file->dwfl, NULL, NULL);
	return file->module;
}

static struct symbols_file *file_new(struct symbols_files *files, const char *path,
				     const struct symbols_identity *identity)
{
	struct symbols_file *file = calloc(1, sizeof(*file));
	char found[PATH_MAX];
	int fd;

	if (!file)
		abort();
	symbols_arena_init(&file->arena);
	file->files = files;
	file->path = checked_copy(path);
	file->build_id_bytes = identity->build_id_bytes;
	if (identity->build_id_bytes) {
		file->build_id = malloc(identity->build_id_bytes);
		if (!file->build_id)
			abort();
		memcpy(file->build_id, identity->build_id, identity->build_id_bytes);
	}
	fd = open_module(files, path, identity, found);
	file->present = fd >= 0 && open_session(file, found, fd);
	return file;
}

struct symbols_file *symbols_files_find(struct symbols_files *files, const char *path,
					const uint8_t *build_id, size_t build_id_bytes,
					uint64_t loaded_real_ns)
{
	struct symbols_identity identity = { build_id, build_id_bytes, loaded_real_ns };
	struct symbols_file *file;

	for (file = files->first; file; file = file->next)
		if (file->build_id_bytes == build_id_bytes && !strcmp(file->path, path) &&
		    (!build_id_bytes || !memcmp(file->build_id, build_id, build_id_bytes)))
			return file->present ? file : NULL;
	file = file_new(files, path, &identity);
	file->next = files->first;
	files->first = file;
	return file->present ? file : NULL;
}

/* ---- tables ---- */

static void read_tables(struct symbols_file *file)
{
	if (file->tables_read)
		return;
	file->tables_read = true;
	symbols_elf_init(&file->elf, file->module);
	file->dwarf = symbols_dwarf_new(file->module, &file->elf, &file->arena);
}

bool symbols_file_covers(struct symbols_file *file, uint64_t address)
{
	read_tables(file);
	return symbols_elf_covers(&file->elf, address);
}

bool symbols_file_is_signal_frame(struct symbols_file *file, uint64_t address)
{
	Dwarf_Frame *frame;
	bool is_signal = false;

	if (!file->cfi_read) {
		file->cfi_read = true;
		file->cfi = dwfl_module_eh_cfi(file->module, &file->cfi_bias);
	}
	if (!file->cfi || dwarf_cfi_addrframe(file->cfi, address - file->cfi_bias, &frame))
		return false;
	if (dwarf_frame_info(frame, NULL, NULL, &is_signal) < 0)
		is_signal = false;
	free(frame);
	return is_signal;
}

/* ---- functions ---- */

/* Linker name to readable name, in the arena; "name@@VERSION" loses the version. */
static const char *symbol_name(struct symbols_file *file, const struct elf_symbol *symbol,
			       const char **ret_language)
{
	const char *at = strchr(symbol->name + 1, '@');
	char *plain = at ? strndup(symbol->name, (size_t)(at - symbol->name))
			 : strdup(symbol->name),
	     *name;
	const char *result;

	if (!plain)
		abort();
	name = demangle_function(plain, ret_language);
	result = symbols_arena_copy(&file->arena, name);
	free(name);
	free(plain);
	return result;
}

/*
 * The ELF symbol of a function's first address names it better than DWARF where DWARF has no name,
 * no qualified one (C++ without linker name), or an internal alias (glibc's DWARF says
 * ___pthread_mutex_lock).
 */
static const char *better_name(struct symbols_file *file, const struct dwarf_call *call)
{
	const struct elf_symbol *symbol;
	const char *language, *name;
	bool plain_c = call->language &&
		       (!strcmp(call->language, "c") || !strcmp(call->language, "asm"));

	if (!call->entry || call->has_linkage_name ||
	    (plain_c && call->function && call->function[0] != '_'))
		return call->function;
	symbol = symbols_elf_find_function(&file->elf, call->entry);
	if (!symbol || symbol->address != call->entry)
		return call->function;
	name = symbol_name(file, symbol, &language);
	if (!call->function || !plain_c)
		return name;
	return strspn(name, "_") < strspn(call->function, "_") ? name : call->function;
}

static void add_dwarf_calls(struct symbols_file *file, uint64_t address,
			    struct symbols_calls *calls)
{
	struct dwarf_call found[DWARF_CALLS_MAX];
	size_t count = symbols_dwarf_resolve(file->dwarf, address, found);

	if (!count)
		return;
	calls->call = symbols_arena_alloc(&file->arena, count * sizeof(*calls->call));
	calls->count = count;
	for (size_t i = 0; i < count; i++) {
		bool inlined = i + 1 < count;

		calls->call[i] = (struct symbols_call){
			.function = inlined ? found[i].function : better_name(file, &found[i]),
			.file = found[i].file,
			.line = found[i].line,
			.language = found[i].language,
			.inlined = inlined,
		};
	}
}

static struct symbols_calls *resolve(struct symbols_file *file, uint64_t address)
{
	struct symbols_calls *calls = symbols_arena_alloc(&file->arena, sizeof(*calls));
	struct symbols_call *outermost;
	const struct elf_symbol *symbol;
	const char *language;

	read_tables(file);
	if (file->dwarf)
		add_dwarf_calls(file, address, calls);
	if (calls->count && calls->call[calls->count - 1].function)
		return calls;
	symbol = symbols_elf_find_function(&file->elf, address);
	if (!symbol)
		return calls;
	if (!calls->count) {
		calls->call = symbols_arena_alloc(&file->arena, sizeof(*calls->call));
		calls->count = 1;
	}
	outermost = &calls->call[calls->count - 1];
	outermost->function = symbol_name(file, symbol, &language);
	if (!outermost->language)
		outermost->language = language;
	return calls;
}

static struct symbols_slot *find_slot(struct symbols_slot *slots, size_t count, uint64_t address)
{
	size_t index = (size_t)(address * 0x9e3779b97f4a7c15ull >> 20) & (count - 1);

	while (slots[index].calls && slots[index].address != address)
		index = (index + 1) & (count - 1);
	return &slots[index];
}

static void grow_slots(struct symbols_file *file)
{
	size_t count = file->slot_count ? 2 * file->slot_count : 256;
	struct symbols_slot *slots = calloc(count, sizeof(*slots));

	if (!slots)
		abort();
	for (size_t i = 0; i < file->slot_count; i++)
		if (file->slots[i].calls)
			*find_slot(slots, count, file->slots[i].address) = file->slots[i];
	free(file->slots);
	file->slots = slots;
	file->slot_count = count;
}

const struct symbols_calls *symbols_file_resolve(struct symbols_file *file, uint64_t address)
{
	struct symbols_slot *slot;

	if (2 * file->used >= file->slot_count)
		grow_slots(file);
	slot = find_slot(file->slots, file->slot_count, address);
	if (!slot->calls) {
		slot->address = address;
		slot->calls = resolve(file, address);
		file->used++;
	}
	return slot->calls;
}

/* ---- data ---- */

const char *symbols_file_name_data(struct symbols_file *file, uint64_t address)
{
	const struct elf_symbol *symbol;
	const char *name = NULL;
	uint64_t offset;

	read_tables(file);
	symbol = symbols_elf_find_object(&file->elf, address);
	if (!symbol)
		return NULL;
	if (file->dwarf)
		name = symbols_dwarf_name_data(file->dwarf, symbol, address);
	if (!name) {
		const char *at = strchr(symbol->name + 1, '@');
		char *plain = at ? strndup(symbol->name, (size_t)(at - symbol->name))
				 : strdup(symbol->name);
		char *readable;

		if (!plain)
			abort();
		readable = demangle_variable(plain);
		offset = address - symbol->address;
		name = offset ? symbols_arena_printf(&file->arena, "%s+%llu", readable,
						     (unsigned long long)offset)
			      : symbols_arena_copy(&file->arena, readable);
		free(readable);
		free(plain);
	}
	return name;
}
