/* SPDX-License-Identifier: MIT */
/*
 * shim_sanitizer.c - finds the run time of a sanitizer, and tells ThreadSanitizer of locks that it has no interceptors for.
 */
#include "shim_sanitizer.h"

#include "shim.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>

struct tsan tsan;

/* enum of sanitizer/tsan_interface.h */
enum {
	TSAN_LINKER_INIT = 1 << 0, /* a static initialiser may have made it */
	TSAN_READ = 1 << 3,
	TSAN_TRY = 1 << 4, /* no deadlock by it: its own interceptors say so of timed locks */
	TSAN_TRY_FAILED = 1 << 5,
};

enum { SYMTAB_BYTES = 64 << 20 };

/* Where the symbols of the run time are. */
struct symbols {
	uintptr_t bias;
	bool is_dynamic;
	/* Else .symtab of the program, in memory of ours. */
	const ElfW(Sym) * symbol;
	const char *name;
	size_t symbol_bytes, name_bytes;
};

static bool names_equal(const char *a, const char *b, size_t room)
{
	size_t i = 0;

	while (i < room && a[i] == b[i]) {
		if (!a[i++]) {
			return true;
		}
	}
	return false;
}

static void *find(const struct symbols *s, const char *name)
{
	if (s->is_dynamic) {
		return shim_resolve_in(s->bias, name, false);
	}
	for (size_t i = 0; i < s->symbol_bytes / sizeof(*s->symbol); i++) {
		const ElfW(Sym) *symbol = &s->symbol[i];

		if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
		    symbol->st_name < s->name_bytes &&
		    names_equal(s->name + symbol->st_name, name, s->name_bytes - symbol->st_name)) {
			return (void *)(s->bias + symbol->st_value);
		}
	}
	return NULL;
}

/* ---- .symtab of the program ---- */

static void *read_part(int fd, uint64_t offset, uint64_t bytes)
{
	uint8_t *memory;
	long got;

	if (!bytes || bytes > SYMTAB_BYTES) {
		return NULL;
	}
	got = sys6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	if (got < 0 && got > -4096) {
		return NULL;
	}
	memory = (uint8_t *)got;
	for (uint64_t done = 0; done < bytes; done += (uint64_t)got) {
		got = sys4(SYS_pread64, fd, memory + done, bytes - done, offset + done);
		if (got <= 0) {
			sys2(SYS_munmap, memory, bytes);
			return NULL;
		}
	}
	return memory;
}

static void free_part(const void *memory, uint64_t bytes)
{
	if (memory) {
		sys2(SYS_munmap, memory, bytes);
	}
}

static void read_sections(struct symbols *s, int fd, const ElfW(Shdr) * section, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const ElfW(Shdr) * names;

		if (section[i].sh_type != SHT_SYMTAB || section[i].sh_link >= count) {
			continue;
		}
		names = &section[section[i].sh_link];
		s->symbol_bytes = section[i].sh_size;
		s->name_bytes = names->sh_size;
		s->symbol = read_part(fd, section[i].sh_offset, s->symbol_bytes);
		s->name = read_part(fd, names->sh_offset, s->name_bytes);
		return;
	}
}

static void symtab_open(struct symbols *s)
{
	int fd = proc_self_open("exe");
	ElfW(Ehdr) head;
	ElfW(Shdr) * section;

	if (fd < 0) {
		return;
	}
	if (sys4(SYS_pread64, fd, &head, sizeof(head), 0) == sizeof(head) &&
	    head.e_shentsize == sizeof(*section)) {
		uint64_t bytes = (uint64_t)head.e_shnum * sizeof(*section);

		section = read_part(fd, head.e_shoff, bytes);
		if (section) {
			read_sections(s, fd, section, head.e_shnum);
		}
		free_part(section, bytes);
	}
	sys1(SYS_close, fd);
}

static void symtab_close(struct symbols *s)
{
	free_part(s->symbol, s->symbol_bytes);
	free_part(s->name, s->name_bytes);
}

/* ---- what there is ---- */

static void take_interface(const struct symbols *s)
{
#define TSAN(result, name, parameters) tsan.name = (result(*) parameters)find(s, #name);
	TSAN_INTERFACE(TSAN)
#undef TSAN
#define GAP(name) tsan.misses.name = tsan.__tsan_mutex_post_lock && !find(s, #name);
	TSAN_GAPS(GAP)
#undef GAP
}

/* Any sanitizer's: what it gives back, by operator delete too, does not come through our free(). */
static void take_allocator(const struct symbols *s)
{
	tsan.__sanitizer_install_malloc_and_free_hooks =
		(int (*)(void (*)(const volatile void *, size_t), void (*)(const volatile void *)))
			find(s, "__sanitizer_install_malloc_and_free_hooks");
	tsan.__sanitizer_get_allocated_size =
		(size_t(*)(const volatile void *))find(s, "__sanitizer_get_allocated_size");
}

static bool is_here(const char *name)
{
	uintptr_t bias;

	return shim_resolve_home(name, &bias);
}

/* What the program frees, before it is gone. */
static void on_gone(const volatile void *block)
{
	memory_block_goes(ARCH_CALLER(), (uintptr_t)block,
			  tsan.__sanitizer_get_allocated_size(block));
}

static void on_made(const volatile void *block, size_t bytes)
{
	(void)block;
	(void)bytes;
}

void sanitizer_learn(void)
{
	const struct link_map *program = _r_debug.r_map;
	struct symbols s = { .is_dynamic = true };

	if (!program) {
		return;
	}
	tsan.thread = shim_resolve_home("__tsan_init", &s.bias);
	tsan.present = tsan.thread || is_here("__asan_init") || is_here("__msan_init");
	tsan.linked_in = tsan.present && tsan.thread && s.bias == program->l_addr;
	if (tsan.thread) {
		take_interface(&s);
	} else if (!tsan.present &&
		   shim_resolve_slot((uintptr_t)program->l_ld, "__sanitizer_symbolize_code")) {
		/* gcc exports nothing of a run time that it links in; but this is what each asks for. */
		tsan.present = tsan.linked_in = true;
		s = (struct symbols){ .bias = program->l_addr };
		symtab_open(&s);
		if (s.symbol && s.name) {
			tsan.thread = find(&s, "__tsan_init") != NULL;
			take_interface(&s);
		} else {
			tsan.thread = true;
		}
		symtab_close(&s);
	}
	if (tsan.present && !tsan.thread &&
	    shim_resolve_home("__sanitizer_install_malloc_and_free_hooks", &s.bias)) {
		s.is_dynamic = true;
		take_allocator(&s);
	}
	if (tsan.__sanitizer_install_malloc_and_free_hooks && tsan.__sanitizer_get_allocated_size) {
		tsan.__sanitizer_install_malloc_and_free_hooks(on_made, on_gone);
	}
}

/* ---- its log ---- */

extern char **environ;

/* What follows `key` in `text`, the last time; NULL = it is not there. */
static const char *find_last(const char *text, const char *key)
{
	const char *found = NULL;

	for (; *text; text++) {
		const char *a = text, *b = key;

		while (*b && *a == *b) {
			a++;
			b++;
		}
		found = *b ? found : a;
	}
	return found;
}

/* The last log_path that the run time was given is that in the trace. */
static bool log_is_ours(void)
{
	const char *path = NULL, *dir = directory_path();

	for (char **e = environ; e && *e; e++) {
		const char *value = (*e)[0] == 'T' ? find_last(*e, "TSAN_OPTIONS=") : NULL;

		path = value ? find_last(value, "log_path=") : path;
	}
	if (!path) {
		return !tsan.linked_in; /* it asked us: wrap_report.c */
	}
	path += *path == '\'' || *path == '"';
	while (*dir && *path == *dir) {
		path++;
		dir++;
	}
	return !*dir;
}

void sanitizer_confined(void)
{
	if (tsan.thread && tsan.__sanitizer_set_report_path && log_is_ours()) {
		tsan.__sanitizer_set_report_path("stderr");
	}
}

/* ---- locks ---- */

static unsigned flags_of(unsigned mode)
{
	return TSAN_LINKER_INIT | TSAN_TRY | (mode & TRACE_MODE_SHARED ? TSAN_READ : 0);
}

void sanitizer_locks(void *lock, unsigned mode)
{
	tsan.__tsan_mutex_pre_lock(lock, flags_of(mode));
}

void sanitizer_locked(void *lock, unsigned mode, bool taken)
{
	tsan.__tsan_mutex_post_lock(lock, flags_of(mode) | (taken ? 0 : TSAN_TRY_FAILED), 0);
}

/* ---- threads ---- */

/*
 * ThreadSanitizer starts each thread of the program in a function of its own, whose argument begins with the program's routine
 * (struct ThreadParam, seen from LLVM 3.2 to 19); its own background thread gets no argument.
 */
bool sanitizer_thread(uintptr_t *routine, void *argument)
{
	uintptr_t theirs;

	if (!argument) {
		return false;
	}
	if (module_read((uintptr_t)argument, &theirs, sizeof(theirs)) && module_known(theirs)) {
		*routine = theirs;
	}
	return true;
}
