/* SPDX-License-Identifier: MIT */
/*
 * hookable_libraries.c - walks the needed libraries breadth first, as the loader does, and asks
 * each what it imports.
 */
#include "hookable_libraries.h"

#include "hookable_elf.h"
#include "hookable_python.h"
#include "hookable_search.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hostile file may need thousands of names; real programs need some hundred. */
#define MODULES_MAX 2048
#define RPATHS_MAX 64

struct walk_module {
	struct hookable_module shown;
	const char *rpath; /* of the module itself, where it has no RUNPATH; arena */
	size_t parent;	   /* index of the module that needs it first */
};

struct walk {
	struct hookable *h;
	const char *const *hooked; /* borrowed; may be NULL */
	struct hookable_search search;
	struct walk_module *modules; /* owns */
	size_t count, capacity;
	struct hookable_note *notes; /* owns */
	size_t note_count, note_capacity;
};

__attribute__((format(printf, 4, 5))) static void note(struct walk *w, enum hookable_note_kind kind,
						       const char *module, const char *format, ...)
{
	struct hookable_note *entry;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	w->notes =
		symbols_array_grow(w->notes, w->note_count, &w->note_capacity, sizeof(*w->notes));
	entry = &w->notes[w->note_count++];
	entry->kind = kind;
	entry->module = module;
	entry->text = symbols_arena_copy(&w->h->arena, text);
}

/* ---- names ---- */

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* glibc's own parts: what they do among themselves is below the hooked functions. */
static bool is_libc_part(const char *name)
{
	static const char *const parts[] = { "libc.so.",   "libpthread.so.", "ld-linux",
					     "librt.so.",  "libdl.so.",	     "libm.so.",
					     "libanl.so.", "libresolv.so.",  "libutil.so.",
					     "libmvec.so." };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (has_prefix(name, parts[i]))
			return true;
	return false;
}

static bool is_hooked(const struct walk *w, const char *name)
{
	for (const char *const *hooked = w->hooked; hooked && *hooked; hooked++)
		if (!strcmp(*hooked, name))
			return true;
	return false;
}

/* ---- what one module says ---- */

struct imports {
	const char **names; /* owns */
	size_t count, capacity;
	const char *defined; /* a hooked function that it exports itself; arena; NULL = none */
	bool has_syscall, has_dlopen, has_clone;
};

static void add_import(struct walk *w, struct imports *imports, const char *name)
{
	for (size_t i = 0; i < imports->count; i++)
		if (!strcmp(imports->names[i], name))
			return;
	imports->names = symbols_array_grow(imports->names, imports->count, &imports->capacity,
					    sizeof(*imports->names));
	imports->names[imports->count++] = symbols_arena_copy(&w->h->arena, name);
}

static void read_imports(struct walk *w, const struct hookable_elf *elf, struct imports *imports)
{
	for (size_t i = 1; i < elf->symbol_count; i++) {
		bool defined = false;
		const char *name = hookable_elf_get_symbol(elf, i, &defined);

		if (!name)
			continue;
		if (is_hooked(w, name)) {
			if (!defined)
				add_import(w, imports, name);
			else if (!imports->defined)
				imports->defined = symbols_arena_copy(&w->h->arena, name);
		}
		if (!defined) {
			imports->has_syscall |= !strcmp(name, "syscall");
			imports->has_dlopen |= !strcmp(name, "dlopen") || !strcmp(name, "dlmopen");
			imports->has_clone |= !strcmp(name, "clone");
		}
	}
}

struct local_search {
	struct walk *w;
	const struct hookable_elf *elf;
	const char *found;
};

static bool is_exported(const struct hookable_elf *elf, const char *wanted)
{
	for (size_t i = 1; i < elf->symbol_count; i++) {
		bool defined = false;
		const char *name = hookable_elf_get_symbol(elf, i, &defined);

		if (name && defined && !strcmp(name, wanted))
			return true;
	}
	return false;
}

/* A hooked function that was linked in and is not exported: calls to it never leave the file. */
static bool visit_local(const char *name, void *cookie)
{
	struct local_search *search = cookie;

	if (!is_hooked(search->w, name) || is_exported(search->elf, name))
		return true;
	search->found = symbols_arena_copy(&search->w->h->arena, name);
	return false;
}

static void note_binding(struct walk *w, const struct hookable_module *module,
			 const struct hookable_elf *elf, const struct imports *imports)
{
	struct local_search local = { w, elf, NULL };

	hookable_elf_each_function(elf, visit_local, &local);
	if (local.found)
		note(w, HOOKABLE_NOTE_MISSED, module->name,
		     "has its own copy of %s linked in: its calls of that are not seen",
		     local.found);
	if (imports->defined && !module->needed_by)
		note(w, HOOKABLE_NOTE_MISSED, module->name,
		     "defines %s itself, which it may bind before the shim's", imports->defined);
	else if (imports->defined && elf->is_symbolic)
		note(w, HOOKABLE_NOTE_MISSED, module->name,
		     "defines %s and is linked with -Bsymbolic: its own calls of that are not seen",
		     imports->defined);
}

/* Libraries with locks of their own that are hooked, and what of them is out of reach all the same. */
static const struct {
	const char *prefix; /* of the file's name */
	enum hookable_note_kind kind;
	const char *text;
} own_locks[] = {
	{ "libglib-2.0.so", HOOKABLE_NOTE_INFO,
	  "GLib's locks are recorded where others call them; what GLib locks inside itself (GAsyncQueue, "
	  "main contexts) shows as a futex without owner, when it has to wait" },
	{ "libQt5Core.so", HOOKABLE_NOTE_INFO,
	  "Qt's locks are recorded where others call them; what QtCore locks inside itself, and QBasicMutex, "
	  "show as a futex without owner, when they have to wait" },
	{ "libQt6Core.so", HOOKABLE_NOTE_MISSED,
	  "Qt 6 locks a QMutex inline: it shows as a futex without owner, when it has to wait; "
	  "QRecursiveMutex, QReadWriteLock, QSemaphore and QWaitCondition are recorded" },
	{ "libgomp.so", HOOKABLE_NOTE_INFO,
	  "OpenMP's locks and critical sections are recorded; barriers, and a team that waits for work, are not seen" },
	{ "libomp.so", HOOKABLE_NOTE_INFO,
	  "OpenMP's locks and critical sections are recorded; barriers, and a team that waits for work, are not seen" },
};

static size_t find_own_locks(const char *name)
{
	size_t count = sizeof(own_locks) / sizeof(own_locks[0]), i = 0;

	while (i < count && !has_prefix(name, own_locks[i].prefix))
		i++;
	return i < count ? i : SIZE_MAX;
}

const char *hookable_library_remark(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t i = find_own_locks(slash ? slash + 1 : path);

	return i == SIZE_MAX ? NULL : own_locks[i].text;
}

static bool note_own_locks(struct walk *w, const struct hookable_module *module)
{
	size_t i = find_own_locks(module->name);

	if (i != SIZE_MAX)
		note(w, own_locks[i].kind, module->name, "%s", own_locks[i].text);
	return i != SIZE_MAX;
}

static void note_futex(struct walk *w, const struct hookable_module *module,
		       const struct hookable_elf *elf, const struct imports *imports)
{
	bool is_known = note_own_locks(w, module);
	unsigned found = is_known ? 0 : hookable_elf_find_futex(elf);

	if (found & HOOKABLE_FUTEX_INLINE)
		note(w, HOOKABLE_NOTE_MISSED, module->name,
		     "may make futex system calls with inline instructions: locks built on them are not seen");
	if (imports->has_syscall && found & HOOKABLE_FUTEX_SYSCALL)
		note(w, HOOKABLE_NOTE_MISSED, module->name,
		     "may call futex through syscall(): locks built on it (C++20 waits, std::future, Rust's std, "
		     "Abseil) show when they have to wait, without owner; taken without a wait they are not seen");
	else if (imports->has_syscall && !is_known &&
		 !module->needed_by) /* most libraries do, for other calls */
		note(w, HOOKABLE_NOTE_INFO, module->name,
		     "imports syscall(), which could reach futex");
	if (imports->has_clone)
		note(w, HOOKABLE_NOTE_INFO, module->name,
		     "imports clone(): threads made with it are recorded without a creation site");
}

static void note_rest(struct walk *w, const struct hookable_module *module,
		      const struct hookable_elf *elf, const struct imports *imports)
{
	enum hookable_note_kind kind;
	const char *python = hookable_python_remark(elf, &kind);

	if (python)
		note(w, kind, module->name, "%s", python);
	if (!elf->has_sections)
		note(w, HOOKABLE_NOTE_INFO, module->name,
		     "has no section headers: what it imports is not known");
	if (!elf->has_unwind_index)
		note(w, HOOKABLE_NOTE_MISSED, module->name,
		     "has no .eh_frame_hdr: stacks end at its frames or lose some; build it with "
		     "-fasynchronous-unwind-tables");
	if (elf->is_go)
		note(w, HOOKABLE_NOTE_MISSED, module->name,
		     "is Go code: goroutines and their locks are not seen, only what C code in it does");
	if (imports->has_dlopen && !module->needed_by)
		note(w, HOOKABLE_NOTE_INFO, module->name,
		     "loads libraries at run time, which are recorded but not looked at here");
	if (has_prefix(module->name, "libasan.so") || has_prefix(module->name, "libtsan.so"))
		note(w, HOOKABLE_NOTE_PROBLEM, module->name,
		     "a sanitizer that hooks the same functions; record a build without it%s",
		     has_prefix(module->name, "libasan.so")
			     ? ", or set ASAN_OPTIONS=verify_asan_link_order=0"
			     : "");
}

/* ---- the walk ---- */

static size_t find_module(const struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->count; i++)
		if (!strcmp(w->modules[i].shown.name, name))
			return i;
	return w->count;
}

static struct walk_module *add_module(struct walk *w, const char *name, size_t parent)
{
	struct walk_module *module;

	w->modules = symbols_array_grow(w->modules, w->count, &w->capacity, sizeof(*w->modules));
	module = &w->modules[w->count++];
	memset(module, 0, sizeof(*module));
	module->shown.name = symbols_arena_copy(&w->h->arena, name);
	module->shown.is_libc = is_libc_part(name);
	module->parent = parent;
	return module;
}

/* DT_RPATH of the module and of all that led to it. */
static size_t collect_rpaths(const struct walk *w, size_t index, struct hookable_path *paths)
{
	size_t count = 0;

	for (size_t i = index; count < RPATHS_MAX; i = w->modules[i].parent) {
		if (w->modules[i].rpath)
			paths[count++] = (struct hookable_path){ w->modules[i].rpath,
								 w->modules[i].shown.path };
		if (!i)
			break;
	}
	return count;
}

static void add_needed(struct walk *w, size_t index, const struct hookable_elf *elf)
{
	struct hookable_path rpaths[RPATHS_MAX],
		runpath = { elf->runpath, w->modules[index].shown.path };
	size_t rpath_count = elf->runpath ? 0 : collect_rpaths(w, index, rpaths);

	for (size_t i = 0; i < elf->needed_count && w->count < MODULES_MAX; i++) {
		struct walk_module *module;
		char path[PATH_MAX];

		if (find_module(w, elf->needed[i]) < w->count)
			continue;
		module = add_module(w, elf->needed[i], index);
		module->shown.needed_by = w->modules[index].shown.name;
		if (hookable_search_find(&w->search, elf->needed[i], rpaths, rpath_count, &runpath,
					 path))
			module->shown.path = symbols_arena_copy(&w->h->arena, path);
		else if (!strcmp(elf->needed[i], "libc.musl-x86_64.so.1"))
			note(w, HOOKABLE_NOTE_PROBLEM, module->shown.name,
			     "is musl's C library, not glibc's");
		else
			note(w, HOOKABLE_NOTE_PROBLEM, module->shown.name,
			     "needed by %s and not found: the program will not start",
			     module->shown.needed_by);
	}
}

static void read_module(struct walk *w, size_t index)
{
	struct hookable_elf elf;
	struct imports imports = { 0 };
	struct hookable_module *shown;

	if (!w->modules[index].shown.path)
		return;
	if (hookable_elf_open(w->modules[index].shown.path, &elf) != HOOKABLE_ELF_OK) {
		hookable_elf_close(&elf);
		note(w, HOOKABLE_NOTE_PROBLEM, w->modules[index].shown.name,
		     "cannot be read or is damaged");
		return;
	}
	w->modules[index].rpath = elf.runpath ? NULL : symbols_arena_copy(&w->h->arena, elf.rpath);
	add_needed(w, index, &elf); /* may move the modules */
	shown = &w->modules[index].shown;
	if (!shown->is_libc) {
		read_imports(w, &elf, &imports);
		note_binding(w, shown, &elf, &imports);
		note_futex(w, shown, &elf, &imports);
		note_rest(w, shown, &elf, &imports);
	}
	hookable_elf_close(&elf);
	shown->hooked_count = imports.count;
	shown->hooked =
		symbols_arena_alloc(&w->h->arena, (imports.count + 1) * sizeof(*shown->hooked));
	for (size_t i = 0; i < imports.count; i++)
		shown->hooked[i] = imports.names[i];
	free(imports.names);
}

static void note_nothing_hooked(struct walk *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->modules[i].shown.hooked_count)
			return;
	if (w->hooked)
		note(w, HOOKABLE_NOTE_INFO, w->modules[0].shown.name,
		     "neither it nor its libraries import a function that is recorded; there will be little to see");
}

static void hand_over(struct walk *w)
{
	struct hookable *h = w->h;

	h->modules = symbols_arena_alloc(&h->arena, (w->count + 1) * sizeof(*h->modules));
	for (size_t i = 0; i < w->count; i++)
		h->modules[i] = w->modules[i].shown;
	h->module_count = w->count;
	h->notes = symbols_arena_alloc(&h->arena, (w->note_count + 1) * sizeof(*h->notes));
	if (w->note_count)
		memcpy(h->notes, w->notes, w->note_count * sizeof(*h->notes));
	h->note_count = w->note_count;
}

void hookable_read_libraries(struct hookable *h, const char *const *hooked)
{
	struct walk w = { .h = h, .hooked = hooked };
	const char *slash = strrchr(h->program, '/');

	hookable_search_init(&w.search);
	add_module(&w, slash ? slash + 1 : h->program, 0)->shown.path =
		symbols_arena_copy(&h->arena, h->program);
	for (size_t i = 0; i < w.count; i++)
		read_module(&w, i);
	if (h->loader[0])
		note_nothing_hooked(&w);
	hand_over(&w);
	hookable_search_release(&w.search);
	free(w.modules);
	free(w.notes);
}
