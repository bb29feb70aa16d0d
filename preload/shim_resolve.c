/* SPDX-License-Identifier: MIT */
/*
 * shim_resolve.c - finds the real functions: the next definition after ours in the load order, read
 * from the ELF symbol tables by ourselves.
 *
 * Why not dlsym: it can allocate and take the loader lock, so a hooked allocator or lock recurses
 * at start; before glibc 2.36 RTLD_NEXT without a version gives the oldest pthread_cond_*; and for
 * libraries that came by dlopen RTLD_NEXT answers NULL. The load order is the chain that debuggers
 * read (_r_debug). A definition whose version is the default one wins, which is right on both sides
 * of glibc 2.34, where libpthread moved into libc. Safety class: BOOT, and idempotent.
 */
#include "shim.h"

#include <elf.h>
#include <errno.h>
#include <link.h>

/* Stubs: the first call of anything resolves everything. */
#define MISSING(type) ((type)(uintptr_t)(__builtin_types_compatible_p(type, int) ? ENOSYS : 0))
#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) \
	static ret stub_##name params;                                \
	ret(*real_##name) params = stub_##name;
#include "../spec/primitives/all.def"
#undef PRIM

#define NEED(ret, name, params) ret(*real_##name) params;
#include "../spec/needed.def"
#undef NEED

void (*real___pthread_register_cancel)(__pthread_unwind_buf_t *);
void (*real___pthread_unregister_cancel)(__pthread_unwind_buf_t *);
void (*real___pthread_unwind_next)(__pthread_unwind_buf_t *);
size_t (*real_malloc_usable_size)(void *);
int (*real_sem_getvalue)(sem_t *, int *);
int (*real_pthread_attr_getdetachstate)(const pthread_attr_t *, int *);
int (*real_pthread_attr_getstacksize)(const pthread_attr_t *, size_t *);
const char *(*real___asan_default_options)(void);
const char *(*real___tsan_default_options)(void);
void (*real___tsan_on_report)(void *);

#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) \
	static ret stub_##name params                                 \
	{                                                             \
		shim_resolve_all();                                   \
		if (real_##name == stub_##name) {                     \
			return MISSING(ret);                          \
		}                                                     \
		return real_##name args;                              \
	}
#include "../spec/primitives/all.def"
#undef PRIM

struct wanted {
	const char *name;
	void **real;
	void *stub; /* NULL = none: the pointer may be NULL */
};

static const struct wanted wanted[] = {
#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) \
	{ #name, (void **)&real_##name, (void *)stub_##name },
#include "../spec/primitives/all.def"
#undef PRIM
#define NEED(ret, name, params) { #name, (void **)&real_##name, NULL },
#include "../spec/needed.def"
#undef NEED
	{ "__pthread_register_cancel", (void **)&real___pthread_register_cancel, NULL },
	{ "__pthread_unregister_cancel", (void **)&real___pthread_unregister_cancel, NULL },
	{ "__pthread_unwind_next", (void **)&real___pthread_unwind_next, NULL },
	{ "malloc_usable_size", (void **)&real_malloc_usable_size, NULL },
	{ "sem_getvalue", (void **)&real_sem_getvalue, NULL },
	{ "pthread_attr_getdetachstate", (void **)&real_pthread_attr_getdetachstate, NULL },
	{ "pthread_attr_getstacksize", (void **)&real_pthread_attr_getstacksize, NULL },
	{ "__asan_default_options", (void **)&real___asan_default_options, NULL },
	{ "__tsan_default_options", (void **)&real___tsan_default_options, NULL },
	{ "__tsan_on_report", (void **)&real___tsan_on_report, NULL },
};

/*
 * Our own dynamic section, by a name of our own: <link.h> declares _DYNAMIC with default
 * visibility.
 */
extern const char own_dynamic[] __asm__("_DYNAMIC") __attribute__((visibility("hidden")));

/* What of one loaded object a lookup needs. */
struct symbol_table {
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *gnu_hash;
	const uint32_t *sysv_hash;
	const ElfW(Versym) * versions;
	uintptr_t bias;
	bool data; /* variables are looked for, not functions */
};

static bool names_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static uint32_t hash_gnu(const char *name)
{
	uint32_t h = 5381;

	for (; *name; name++) {
		h = h * 33 + (uint8_t)*name;
	}
	return h;
}

/* ld.so relocates the pointers of the dynamic section in place, except the vdso's. */
static const void *dynamic_pointer(const struct link_map *map, ElfW(Addr) value)
{
	return (const void *)(value < map->l_addr ? value + map->l_addr : value);
}

static bool table_init(struct symbol_table *t, const struct link_map *map)
{
	*t = (struct symbol_table){ .bias = map->l_addr };
	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
		const void *p = dynamic_pointer(map, d->d_un.d_ptr);

		switch (d->d_tag) {
		case DT_SYMTAB:
			t->symbols = p;
			break;
		case DT_STRTAB:
			t->strings = p;
			break;
		case DT_GNU_HASH:
			t->gnu_hash = p;
			break;
		case DT_HASH:
			t->sysv_hash = p;
			break;
		case DT_VERSYM:
			t->versions = p;
			break;
		default:
			break;
		}
	}
	return t->symbols && t->strings && (t->gnu_hash || t->sysv_hash);
}

/* A definition counts; one with the default (not hidden) version beats others. */
static bool symbol_matches(const struct symbol_table *t, uint32_t i, const char *name,
			   bool *ret_default)
{
	const ElfW(Sym) *s = &t->symbols[i];
	unsigned type = ELF64_ST_TYPE(s->st_info);

	if (s->st_shndx == SHN_UNDEF || s->st_value == 0 ||
	    (t->data ? type != STT_OBJECT
		     : type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) ||
	    ELF64_ST_BIND(s->st_info) == STB_LOCAL || !names_equal(t->strings + s->st_name, name)) {
		return false;
	}
	*ret_default = !t->versions || !(t->versions[i] & 0x8000);
	return true;
}

static uint32_t table_find_gnu(const struct symbol_table *t, const char *name, uint32_t h)
{
	const uint32_t *head = t->gnu_hash;
	uint32_t buckets = head[0], first = head[1], words = head[2], shift = head[3];
	const uint64_t *bloom = (const uint64_t *)(const void *)(head + 4);
	const uint32_t *bucket = (const uint32_t *)(const void *)(bloom + words);
	const uint32_t *chain = bucket + buckets;
	uint64_t bits = bloom[h / 64 % words];
	uint32_t found = 0;

	if (!(bits >> (h % 64) & 1) || !(bits >> ((h >> shift) % 64) & 1)) {
		return 0;
	}
	for (uint32_t i = bucket[h % buckets]; i >= first; i++) {
		bool is_default;

		if ((chain[i - first] | 1) == (h | 1) && symbol_matches(t, i, name, &is_default)) {
			if (is_default) {
				return i;
			}
			found = i;
		}
		if (chain[i - first] & 1) {
			break;
		}
	}
	return found;
}

static uint32_t table_find(const struct symbol_table *t, const char *name, uint32_t hash)
{
	uint32_t found = 0;

	if (t->gnu_hash) {
		return table_find_gnu(t, name, hash);
	}
	for (uint32_t i = 1; i < t->sysv_hash[1]; i++) {
		bool is_default;

		if (symbol_matches(t, i, name, &is_default)) {
			if (is_default) {
				return i;
			}
			found = i;
		}
	}
	return found;
}

static void *table_get(const struct symbol_table *t, uint32_t i)
{
	uintptr_t address = t->bias + t->symbols[i].st_value;

	if (ELF64_ST_TYPE(t->symbols[i].st_info) == STT_GNU_IFUNC) {
		return ((void *(*)(void))address)();
	}
	return (void *)address;
}

static const struct link_map *free_home, *usable_home;

enum { WANTED_COUNT = sizeof(wanted) / sizeof(wanted[0]) };
static bool done[WANTED_COUNT];	      /* idempotent: racing writers write the same */
static uint32_t hashes[WANTED_COUNT]; /* the same */

/*
 * ---- several copies of a library: Python extensions bring their own libgomp, a plugin another Qt. The first in the
 * load order is not everybody's: what a module needs by name goes before it, as in the loader's local scopes ----
 */

enum { COPIES_CACHED = 64, NEEDED_MAX = 64, FAMILIES = 5 };

/* `key` is stored last; a slot is filled once until all are emptied. */
static struct {
	_Atomic uintptr_t key;
	void *real;
} copies[COPIES_CACHED];

static void forget_copies(void)
{
	for (size_t i = 0; i < COPIES_CACHED; i++) {
		atomic_store(&copies[i].key, 0);
	}
}

static const char *last_part(const char *path)
{
	const char *part = path;

	for (; *path; path++) {
		part = *path == '/' ? path + 1 : part;
	}
	return part;
}

static void note_copy(unsigned family)
{
	if (shim->library_copies[family] < 255 && ++shim->library_copies[family] == 2) {
		shim->many_copies = true;
	}
}

static bool begins(const char *name, const char *with)
{
	while (*with && *with == *name) {
		with++;
		name++;
	}
	return !*with;
}

void shim_resolve_note_module(const char *path)
{
	static const struct {
		const char *prefix;
		unsigned family;
	} known[] = { { "libgomp", 0 },	      { "libomp", 0 },
		      { "libiomp5", 0 },      { "libQt5Core", 1 },
		      { "libQt6Core", 1 },    { "libglib-2.0", 2 },
		      { "libsystemd.so", 4 }, { "libsystemd-shared-", 4 } };
	const char *name = last_part(path);

	_Static_assert(sizeof(shim->library_copies) == FAMILIES, "one count each");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (begins(name, known[i].prefix)) {
			note_copy(known[i].family);
		}
	}
}

int shim_deep_binding;
static const struct link_map *last_from_start;

bool shim_resolve_from_start(uintptr_t bias)
{
	for (const struct link_map *m = last_from_start ? _r_debug.r_map : NULL; m; m = m->l_next) {
		if (m->l_addr == bias) {
			return true;
		}
		if (m == last_from_start) {
			break;
		}
	}
	return false;
}

static const struct link_map *map_at(uintptr_t bias)
{
	for (const struct link_map *m = _r_debug.r_map; m; m = m->l_next) {
		if (m->l_addr == bias && m->l_ld && (const void *)m->l_ld != own_dynamic) {
			return m;
		}
	}
	return NULL;
}

/* What the module that lies there defines by that name; NULL = nothing. */
static void *find_at(uintptr_t bias, const char *name)
{
	const struct link_map *m = map_at(bias);
	struct symbol_table t;
	uint32_t symbol = m && table_init(&t, m) ? table_find(&t, name, hash_gnu(name)) : 0;

	return symbol ? table_get(&t, symbol) : NULL;
}

bool shim_resolve_home(const char *name, uintptr_t *ret_bias)
{
	uint32_t hash = hash_gnu(name);

	for (const struct link_map *m = _r_debug.r_map; m; m = m->l_next) {
		struct symbol_table t;

		if ((const void *)m->l_ld != own_dynamic && table_init(&t, m) &&
		    table_find(&t, name, hash)) {
			*ret_bias = m->l_addr;
			return true;
		}
	}
	return false;
}

static const ElfW(Sym) * symbol_in(uintptr_t bias, const char *name, bool is_data)
{
	const struct link_map *m = map_at(bias);
	struct symbol_table t;
	uint32_t i;

	if (!m || !table_init(&t, m)) {
		return NULL;
	}
	t.data = is_data;
	i = table_find(&t, name, hash_gnu(name));
	return i ? &t.symbols[i] : NULL;
}

void *shim_resolve_in(uintptr_t bias, const char *name, bool is_data)
{
	const ElfW(Sym) *symbol = symbol_in(bias, name, is_data);

	return symbol ? (void *)(bias + symbol->st_value) : NULL;
}

size_t shim_resolve_size(uintptr_t bias, const char *name)
{
	const ElfW(Sym) *symbol = symbol_in(bias, name, true);

	return symbol ? symbol->st_size : 0;
}

/* The relocation of `name`, or without one that of the place `slot`, in one of a module's tables; NULL = none. */
static const ElfW(Rela) * slot_in(const struct link_map *map, const struct symbol_table *t,
				  ElfW(Sxword) table, ElfW(Sxword) size, const char *name,
				  uintptr_t slot)
{
	const ElfW(Rela) *r = NULL, *end;
	size_t bytes = 0;

	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		r = d->d_tag == table ? dynamic_pointer(map, d->d_un.d_ptr) : r;
		bytes = d->d_tag == size ? d->d_un.d_val : bytes;
	}
	end = r ? r + bytes / sizeof(*r) : NULL;
	for (; r < end; r++) {
		unsigned type = ELF64_R_TYPE(r->r_info);

		if ((type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT) &&
		    (name ? names_equal(t->strings + t->symbols[ELF64_R_SYM(r->r_info)].st_name,
					name)
			  : map->l_addr + r->r_offset == slot)) {
			return r;
		}
	}
	return NULL;
}

static const ElfW(Rela) * slot_of(const struct module *module, struct symbol_table *t,
				  const char *name, uintptr_t slot)
{
	const struct link_map *map = module ? map_at(module->bias) : NULL;
	const ElfW(Rela) * r;

	if (!map || !table_init(t, map)) {
		return NULL;
	}
	r = slot_in(map, t, DT_JMPREL, DT_PLTRELSZ, name, slot);
	return r ? r : slot_in(map, t, DT_RELA, DT_RELASZ, name, slot);
}

uintptr_t *shim_resolve_slot(uintptr_t address, const char *name)
{
	const struct module *module = module_find(address);
	struct symbol_table t;
	const ElfW(Rela) *r = slot_of(module, &t, name, 0);

	return r ? (uintptr_t *)(module->bias + r->r_offset) : NULL;
}

const char *shim_resolve_slot_name(uintptr_t slot)
{
	struct symbol_table t;
	const ElfW(Rela) *r = slot_of(module_known(slot), &t, NULL, slot);

	return r ? t.strings + t.symbols[ELF64_R_SYM(r->r_info)].st_name : NULL;
}

void *shim_resolve_beside(uintptr_t address, const char *name)
{
	const struct module *m = module_find(address);

	return m ? find_at(m->bias, name) : NULL;
}

/* By their symbols: Python extensions bring a libev of another name. What only uses them, libevent's other parts, by name. */
unsigned shim_resolve_loops(const char *path, uintptr_t bias)
{
	const char *name = last_part(path);
	bool ev = false, event = false;

	ev = find_at(bias, "ev_run");
	event = find_at(bias, "event_base_loop");
	if (ev || event) {
		note_copy(3);
	}
	return ev								 ? MODULE_EV
	       : event || begins(name, "libevent-") || begins(name, "libevent_") ? MODULE_EVENT
										 : MODULE_NO_LOOPS;
}

static bool has_soname(const struct link_map *map, const char *name)
{
	const char *strings = NULL;
	ElfW(Xword) soname = 0;

	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_STRTAB) {
			strings = dynamic_pointer(map, d->d_un.d_ptr);
		} else if (d->d_tag == DT_SONAME) {
			soname = d->d_un.d_val;
		}
	}
	return names_equal(last_part(map->l_name), name) ||
	       (strings && soname && names_equal(strings + soname, name));
}

/* Appends what `map` needs by name; returns the new count. */
static size_t add_needed(const struct link_map **queue, size_t count, const struct link_map *map)
{
	const char *strings = NULL;

	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_STRTAB) {
			strings = dynamic_pointer(map, d->d_un.d_ptr);
		}
	}
	for (const ElfW(Dyn) *d = map->l_ld; strings && d && d->d_tag != DT_NULL; d++) {
		for (const struct link_map *m = d->d_tag == DT_NEEDED ? _r_debug.r_map : NULL;
		     m && count < NEEDED_MAX; m = m->l_next) {
			bool known = false;

			for (size_t i = 0; i < count && !known; i++) {
				known = queue[i] == m;
			}
			if (!known && has_soname(m, strings + d->d_un.d_val)) {
				queue[count++] = m;
			}
		}
	}
	return count;
}

void *shim_resolve_for(uintptr_t caller, const char *name, void *usual)
{
	const struct module *module;
	const struct link_map *queue[NEEDED_MAX];
	uintptr_t key = caller ^ ((uintptr_t)name << 16);
	size_t slot = (key * 0x9e3779b97f4a7c15u) >> 58, count = 0;
	uint32_t hash = hash_gnu(name);
	void *real = usual;

	if (atomic_load_explicit(&copies[slot].key, memory_order_acquire) == key) {
		return copies[slot].real;
	}
	module = module_find(caller);
	for (const struct link_map *m = _r_debug.r_map; m && module && !count; m = m->l_next) {
		if (m->l_addr == module->bias && m->l_name &&
		    (const void *)m->l_ld != own_dynamic) {
			queue[count++] = m;
		}
	}
	for (size_t i = 0; i < count; i++) {
		struct symbol_table t;
		uint32_t symbol;

		if ((const void *)queue[i]->l_ld != own_dynamic && table_init(&t, queue[i]) &&
		    (symbol = table_find(&t, name, hash))) {
			real = table_get(&t, symbol);
			break;
		}
		count = add_needed(queue, count, queue[i]);
	}
	if (!atomic_load(&copies[slot].key)) {
		copies[slot].real = real;
		atomic_store_explicit(&copies[slot].key, key, memory_order_release);
	}
	return real;
}

bool shim_resolve_is_found(void *const *real)
{
	for (size_t i = 0; i < WANTED_COUNT; i++) {
		if (wanted[i].real == real) {
			return *real && *real != wanted[i].stub;
		}
	}
	return false;
}

void shim_resolve_forget(uintptr_t start, uintptr_t end)
{
	for (size_t i = 0; i < WANTED_COUNT; i++) {
		uintptr_t real = (uintptr_t)__atomic_load_n(wanted[i].real, __ATOMIC_RELAXED);

		if (done[i] && real >= start && real < end) {
			done[i] = false;
			__atomic_store_n(wanted[i].real, wanted[i].stub, __ATOMIC_RELEASE);
		}
	}
	forget_copies();
}

void shim_resolve_all(void)
{
	const struct link_map *own = NULL;

	for (size_t i = 0; i < WANTED_COUNT && !hashes[WANTED_COUNT - 1]; i++) {
		hashes[i] = hash_gnu(wanted[i].name);
	}
	for (const struct link_map *m = _r_debug.r_map; m; m = m->l_next) {
		if ((const void *)m->l_ld == own_dynamic) {
			own = m;
		}
	}
	if (!own) {
		return;
	}
	for (const struct link_map *m = last_from_start ? NULL : own; m; m = m->l_next) {
		last_from_start = m->l_next ? last_from_start : m;
	}
	for (const struct link_map *m = own->l_next; m; m = m->l_next) {
		struct symbol_table t;

		if (!table_init(&t, m)) {
			continue;
		}
		for (size_t i = 0; i < WANTED_COUNT; i++) {
			uint32_t symbol = done[i] ? 0 : table_find(&t, wanted[i].name, hashes[i]);

			if (symbol) {
				*wanted[i].real = table_get(&t, symbol);
				done[i] = true;
				free_home = wanted[i].real == (void **)&real_free ? m : free_home;
				usable_home = wanted[i].real == (void **)&real_malloc_usable_size
						      ? m
						      : usable_home;
			}
		}
	}
	if (free_home != usable_home) {
		real_malloc_usable_size =
			NULL; /* another allocator's: its answer would be a guess */
	}
}

const char *shim_library_name(void)
{
	for (const struct link_map *m = _r_debug.r_map; m; m = m->l_next) {
		if ((const void *)m->l_ld == own_dynamic) {
			return m->l_name;
		}
	}
	return "";
}

void shim_resolve_once(void)
{
	static bool resolved; /* idempotent: a second resolution writes the same */

	if (!resolved) {
		shim_resolve_all();
		resolved = true;
	}
}
