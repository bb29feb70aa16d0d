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

#include "../trace/trace_reader.h"
#include "demangle.h"
#include "symbols_arena.h"
#include "symbols_dwarf.h"
#include "symbols_elf.h"
#include "symbols_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where debug files lie by build-id. The dwfl callbacks take a pointer to it. */
static char debuginfo_directories[] = ":.debug:/usr/lib/debug";
static char *debuginfo_path = debuginfo_directories;

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
	bool present;		      /* a file that fits was found */
	enum symbols_absence absence; /* else why not */

	struct symbols_arena arena;
	Dwfl *dwfl;
	Dwfl_Module *module; /* of dwfl */
	bool tables_read, cfi_read;
	struct symbols_elf elf;
	struct symbols_dwarf *dwarf; /* owns; NULL = none */
	Dwarf *supplement;	     /* owns; of dwarf, made by dwz; NULL = none */
	int supplement_fd;	     /* owns; -1 = none */
	bool lacks_supplement;
	Dwarf_CFI *cfi; /* of module; NULL = none */
	GElf_Addr cfi_bias;

	struct symbols_slot *slots; /* owns; open addressing by address */
	size_t slot_count, used;    /* slot_count is a power of two */
};

struct symbols_files {
	struct symbols_file *first; /* owns */
	struct symbols_search search;
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
	symbols_search_init(&files->search);
	files->callbacks.find_debuginfo = symbols_find_debuginfo;
	files->callbacks.section_address = dwfl_offline_section_address;
	files->callbacks.debuginfo_path = &debuginfo_path;
	return files;
}

static void file_free(struct symbols_file *file)
{
	symbols_dwarf_free(file->dwarf);
	symbols_elf_release(&file->elf);
	if (file->dwfl)
		dwfl_end(file->dwfl);
	dwarf_end(file->supplement); /* after what refers to it; takes NULL */
	if (file->supplement_fd >= 0)
		close(file->supplement_fd);
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
	symbols_search_release(&files->search);
	free(files);
}

void symbols_files_add_directory(struct symbols_files *files, const char *directory)
{
	symbols_search_add(&files->search, directory);
}

void symbols_files_add_process(struct symbols_files *files, const struct trace_process *process)
{
	for (size_t i = 0; i < process->module_count; i++) {
		const struct trace_module *m = &process->modules[i];

		if (m->build_id_bytes && m->path && m->path[0] == '/')
			symbols_search_add_sighting(&files->search, m->path, m->build_id,
						    m->build_id_bytes);
	}
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
	if (file->module) {
		void **userdata;

		dwfl_module_info(file->module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
		*userdata = &file->files->search;
	} else {
		close(fd);
	}
	dwfl_report_end(file->dwfl, NULL, NULL);
	return file->module;
}

static struct symbols_file *file_new(struct symbols_files *files, const char *path,
				     const struct symbols_identity *identity)
{
	struct symbols_file *file = calloc(1, sizeof(*file));
	char *found = NULL;
	int fd;

	if (!file)
		abort();
	symbols_arena_init(&file->arena);
	file->files = files;
	file->supplement_fd = -1;
	file->path = checked_copy(path);
	file->build_id_bytes = identity->build_id_bytes;
	if (identity->build_id_bytes) {
		file->build_id = malloc(identity->build_id_bytes);
		if (!file->build_id)
			abort();
		memcpy(file->build_id, identity->build_id, identity->build_id_bytes);
	}
	fd = symbols_search_module(&files->search, path, identity, &found, &file->absence);
	file->present = fd >= 0 && open_session(file, found, fd);
	if (fd >= 0 && !file->present)
		file->absence = ABSENCE_MISSING; /* damaged */
	free(found);
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

/* ---- what is not as it was recorded ---- */

static const char *const absence_texts[] = {
	[ABSENCE_NONE] = NULL,
	[ABSENCE_MISSING] = "is not on this machine",
	[ABSENCE_NEWER] = "has no build-id and was written after the recording",
	[ABSENCE_REPLACED] = "is another build than the recorded one",
};

/* Code that programs make in memory has no file to look for. */
static bool is_made_in_memory(const char *path)
{
	return path[0] != '/' || !strncmp(path, "/memfd:", 7) || !strncmp(path, "/dev/zero", 9);
}

static void explain_file(const struct symbols_file *file, symbols_say *say, void *cookie)
{
	char id[2 * 64 + 1] = "", text[4096];

	for (size_t i = 0; i < file->build_id_bytes && i < 64; i++)
		sprintf(id + 2 * i, "%02x", file->build_id[i]);
	if (file->lacks_supplement) {
		snprintf(
			text, sizeof(text),
			"the debug information of %s is not complete: its supplementary file (dwz) "
			"is missing or of another build",
			file->path);
		say(cookie, text);
	}
	if (file->present || is_made_in_memory(file->path))
		return;
	snprintf(
		text, sizeof(text),
		"%s %s: its frames are module and offset; --symbols DIR takes the recorded one%s%s",
		file->path, absence_texts[file->absence], *id ? ", build-id " : "", id);
	say(cookie, text);
}

void symbols_files_explain(const struct symbols_files *files, symbols_say *say, void *cookie)
{
	const char *trouble = symbols_debuginfod_trouble(files->search.debuginfod);

	for (const struct symbols_file *file = files->first; file; file = file->next)
		explain_file(file, say, cookie);
	if (trouble)
		say(cookie, trouble);
}

/* ---- tables ---- */

/*
 * Gives DWARF that dwz made its other half. False where it cannot be used: left alone, libdw takes
 * whatever has the name of the supplementary file, and strings of another build are wrong names.
 */
static bool attach_supplement(struct symbols_file *file, Dwarf *dwarf)
{
	const char *debug_path = NULL, *main_path = NULL;
	char *found = NULL;
	int fd;

	dwfl_module_info(file->module, NULL, NULL, NULL, NULL, NULL, &main_path, &debug_path);
	if (!debug_path)
		debug_path = main_path ? main_path : file->path;
	fd = symbols_find_supplement(dwarf, debug_path, &file->files->search, &found);
	free(found);
	if (fd == -2)
		return true;
	if (fd >= 0) {
		file->supplement_fd = fd;
		file->supplement = dwarf_begin(fd, DWARF_C_READ);
	}
	file->lacks_supplement = !file->supplement;
	if (!file->supplement)
		return !dwarf_getalt(dwarf);
	dwarf_setalt(dwarf, file->supplement);
	return true;
}

static void read_tables(struct symbols_file *file)
{
	Dwarf_Addr bias;
	Dwarf *dwarf;

	if (file->tables_read)
		return;
	file->tables_read = true;
	symbols_elf_init(&file->elf, file->module);
	dwarf = dwfl_module_getdwarf(file->module, &bias);
	if (dwarf && attach_supplement(file, dwarf))
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

const char *symbols_file_name_data(struct symbols_file *file, uint64_t address, unsigned *ret_how)
{
	const struct elf_symbol *symbol;
	const char *name = NULL;
	uint64_t offset;

	*ret_how = 0;
	read_tables(file);
	symbol = symbols_elf_find_object(&file->elf, address);
	if (!symbol)
		return NULL;
	if (file->dwarf)
		name = symbols_dwarf_name_data(file->dwarf, symbol, address, ret_how);
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

bool symbols_file_place_data(struct symbols_file *file, uint64_t address, const char **ret_file,
			     int *ret_line)
{
	const struct elf_symbol *symbol;

	read_tables(file);
	symbol = symbols_elf_find_object(&file->elf, address);
	return symbol && file->dwarf &&
	       symbols_dwarf_place_data(file->dwarf, symbol, ret_file, ret_line);
}
