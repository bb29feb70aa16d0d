/* SPDX-License-Identifier: MIT */
/*
 * symbols_elf.h - segments and symbol tables of one ELF file, ordered by address.
 *
 * Invariants
 *  - Addresses are ELF virtual addresses of the main file, whatever file (debug file,
 *    .gnu_debugdata) names came from.
 *  - A symbol counts only for addresses it covers: a hole between symbols of a stripped file has no
 *    name.
 *  - Where several symbols name one address, the same one wins everywhere: the public one, with the
 *    fewest underscores ahead of it.
 *
 * Strings are borrowed from libelf: they live as long as the Dwfl session.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_ELF_H
#define THRUM_ANALYZER_SYMBOLS_ELF_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_symbol {
	uint64_t address, bytes; /* 0 bytes: unknown, up to the next symbol */
	const char *name;	 /* as in the table, with "@@VERSION" where it has one */
	const char *file; /* local symbols: the source file that the table names; else NULL */
	uint8_t binding, type;
	bool is_debug_file; /* from a separate file */
};

struct elf_symbols {
	struct elf_symbol *symbol; /* owns; ordered by address */
	size_t count, capacity;
};

struct elf_segment {
	uint64_t start, end;
	bool executable;
};

struct symbols_elf {
	struct elf_symbols functions, objects;
	struct elf_segment *segments; /* owns */
	size_t segment_count;
};

/* Reads both tables. What is damaged is left out. */
void symbols_elf_init(struct symbols_elf *elf, Dwfl_Module *module);
void symbols_elf_release(struct symbols_elf *elf);

/* NULL where no symbol covers `address`. */
const struct elf_symbol *symbols_elf_find_function(const struct symbols_elf *elf, uint64_t address);
const struct elf_symbol *symbols_elf_find_object(const struct symbols_elf *elf, uint64_t address);

/* The file has no segments (unreadable), or one of them covers `address`. */
bool symbols_elf_covers(const struct symbols_elf *elf, uint64_t address);
bool symbols_elf_is_code(const struct symbols_elf *elf, uint64_t address);

#endif
