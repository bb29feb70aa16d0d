/* SPDX-License-Identifier: MIT */
/*
 * shim_links.c - which file is mapped where in a process without /proc (a bare chroot, a full table of descriptors): from the
 * loader's own list.
 *
 * Another thread may be changing that list: all of it is read through the kernel, and what is no ELF header there is
 * left out. Safety class SLOW, under the module lock.
 */
#include "shim.h"

#include <elf.h>
#include <link.h>

enum { PAGE = 4096, PAGES_BEFORE_DYNAMIC = 1 << 16, AUXILIARY_MAX = 64 };

static bool is_elf(uintptr_t address)
{
	char magic[SELFMAG];

	return module_read(address, magic, SELFMAG) && !__builtin_memcmp(magic, ELFMAG, SELFMAG);
}

/* Where its ELF header lies: at the bias, or (a program with addresses of its own) below its dynamic section. */
static uintptr_t start_of(const struct link_map *m)
{
	uintptr_t page = (uintptr_t)m->l_ld & ~(uintptr_t)(PAGE - 1);

	if (m->l_addr) {
		return is_elf(m->l_addr) ? m->l_addr : 0;
	}
	for (int i = 0; i < PAGES_BEFORE_DYNAMIC && page; i++, page -= PAGE) {
		if (is_elf(page)) {
			return page;
		}
	}
	return 0;
}

uint32_t links_find(struct link_place *ret, uint32_t max)
{
	uintptr_t at = (uintptr_t)_r_debug.r_map;
	uint32_t count = 0;
	struct link_map m;

	for (uint32_t seen = 0; at && seen < max && module_read(at, &m, sizeof(m)); seen++) {
		uintptr_t start = start_of(&m);

		if (start) {
			ret[count++] = (struct link_place){ start, at == (uintptr_t)_r_debug.r_map
									   ? 0
									   : (uintptr_t)m.l_name };
		}
		at = (uintptr_t)m.l_next;
	}
	return count;
}

/* Text up to its NUL; byte by byte, since what follows may not be there. */
static size_t read_text(uintptr_t from, char *to, size_t room)
{
	size_t n = 0;

	while (n + 1 < room && module_read(from + n, to + n, 1) && to[n]) {
		n++;
	}
	to[n] = 0;
	return n;
}

/* The kernel's list behind the environment that the process began with. 0 = not found. */
static uintptr_t auxiliary(uint64_t wanted)
{
	char **environment = environ;
	Elf64_auxv_t entry;
	uintptr_t found = 0;
	bool is_list = false;

	while (environment && *environment) {
		environment++;
	}
	for (int i = 0; environment && i < AUXILIARY_MAX; i++) {
		if (!module_read((uintptr_t)(environment + 1) + (size_t)i * sizeof(entry), &entry,
				 sizeof(entry))) {
			return 0;
		}
		if (entry.a_type == AT_NULL) {
			return is_list ? found : 0;
		}
		is_list |= entry.a_type == AT_PAGESZ && entry.a_un.a_val == PAGE;
		found = entry.a_type == wanted ? entry.a_un.a_val : found;
	}
	return 0; /* the program has put another environment in its place */
}

size_t links_program(char *to, size_t room)
{
	uintptr_t name = auxiliary(AT_EXECFN);
	char first;
	long n = 0;

	to[0] = 0;
	if (!name || !module_read(name, &first, 1)) {
		return 0;
	}
	if (first != '/' && (n = sys2(SYS_getcwd, to, room)) > 0 && (size_t)n < room) {
		to[n - 1] = '/'; /* n counts the NUL */
	} else {
		n = 0;
	}
	return (size_t)n + read_text(name, to + n, room - (size_t)n);
}

uintptr_t links_stack_top(uintptr_t here)
{
	uintptr_t name = auxiliary(AT_EXECFN) &
			 ~(uintptr_t)7; /* the kernel puts it at the very top */

	/* Other mappings begin 128 MiB below the top, or further down. */
	return name > here && name - here < 1u << 26 ? name : 0;
}

void links_name(const struct link_place *place, char *to, size_t room)
{
	if (place->name) {
		read_text(place->name, to, room);
	} else {
		links_program(to, room);
	}
}
