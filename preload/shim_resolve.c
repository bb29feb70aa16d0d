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

void (*real___pthread_register_cancel)(__pthread_unwind_buf_t *);
void (*real___pthread_unregister_cancel)(__pthread_unwind_buf_t *);
void (*real___pthread_unwind_next)(__pthread_unwind_buf_t *);
size_t (*real_malloc_usable_size)(void *);
int (*real_sem_getvalue)(sem_t *, int *);
int (*real_pthread_attr_getdetachstate)(const pthread_attr_t *, int *);
int (*real_pthread_attr_getstacksize)(const pthread_attr_t *, size_t *);

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
};

static const struct wanted wanted[] = {
#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) \
	{ #name, (void **)&real_##name },
#include "../spec/primitives/all.def"
#undef PRIM
	{ "__pthread_register_cancel", (void **)&real___pthread_register_cancel },
	{ "__pthread_unregister_cancel", (void **)&real___pthread_unregister_cancel },
	{ "__pthread_unwind_next", (void **)&real___pthread_unwind_next },
	{ "malloc_usable_size", (void **)&real_malloc_usable_size },
	{ "sem_getvalue", (void **)&real_sem_getvalue },
	{ "pthread_attr_getdetachstate", (void **)&real_pthread_attr_getdetachstate },
	{ "pthread_attr_getstacksize", (void **)&real_pthread_attr_getstacksize },
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
	    (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) ||
	    ELF64_ST_BIND(s->st_info) == STB_LOCAL || !names_equal(t->strings + s->st_name, name)) {
		return false;
	}
	*ret_default = !t->versions || !(t->versions[i] & 0x8000);
	return true;
}

static uint32_t table_find_gnu(const struct symbol_table *t, const char *name)
{
	const uint32_t *head = t->gnu_hash;
	uint32_t buckets = head[0], first = head[1], words = head[2], shift = head[3];
	const uint64_t *bloom = (const uint64_t *)(const void *)(head + 4);
	const uint32_t *bucket = (const uint32_t *)(const void *)(bloom + words);
	const uint32_t *chain = bucket + buckets;
	uint32_t h = hash_gnu(name);
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

static uint32_t table_find(const struct symbol_table *t, const char *name)
{
	uint32_t found = 0;

	if (t->gnu_hash) {
		return table_find_gnu(t, name);
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

void shim_resolve_all(void)
{
	enum { COUNT = sizeof(wanted) / sizeof(wanted[0]) };
	static bool done[sizeof(wanted) /
			 sizeof(wanted[0])]; /* idempotent: racing writers write the same */
	const struct link_map *own = NULL;

	for (const struct link_map *m = _r_debug.r_map; m; m = m->l_next) {
		if ((const void *)m->l_ld == own_dynamic) {
			own = m;
		}
	}
	if (!own) {
		return;
	}
	for (const struct link_map *m = own->l_next; m; m = m->l_next) {
		struct symbol_table t;

		if (!table_init(&t, m)) {
			continue;
		}
		for (size_t i = 0; i < COUNT; i++) {
			uint32_t symbol = done[i] ? 0 : table_find(&t, wanted[i].name);

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

void shim_resolve_once(void)
{
	static bool resolved; /* idempotent: a second resolution writes the same */

	if (!resolved) {
		shim_resolve_all();
		resolved = true;
	}
}
