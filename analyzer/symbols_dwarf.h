/* SPDX-License-Identifier: MIT */
/*
 * symbols_dwarf.h - DWARF of one module: a code address to function, inlined calls and lines.
 *
 * Units, functions of a unit, and lines are indexed on first use; .debug_aranges is not needed
 * (Clang and Rust write none). Split DWARF (.dwo files) and supplementary files (dwz) are followed
 * where they lie beside. Addresses are ELF virtual addresses of the module's main file.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_DWARF_H
#define THRUM_ANALYZER_SYMBOLS_DWARF_H

#include "symbols_arena.h"
#include "symbols_elf.h"
#include "symbols_sharing.h"

#include <elfutils/libdwfl.h>

struct symbols_dwarf;

/* One level of a call that the compiler inlined, or the function that has code of its own. */
struct dwarf_call {
	const char *function;  /* demangled; NULL = unknown */
	bool has_linkage_name; /* function came from a linker name, so it is complete */
	const char *file;      /* NULL = unknown */
	int line;	       /* 0 = unknown */
	const char *language;  /* as of struct frame */
	uint64_t entry;	       /* first address of the function, 0 = unknown or inlined */
};

#define DWARF_CALLS_MAX 64

/*
 * NULL where the module has no DWARF. Borrows `elf` and `module`. Strings that it makes go to
 * `arena`.
 */
struct symbols_dwarf *symbols_dwarf_new(Dwfl_Module *module, const struct symbols_elf *elf,
					struct symbols_arena *arena);
void symbols_dwarf_free(struct symbols_dwarf *dwarf); /* takes NULL */

/*
 * Fills `ret_calls`, innermost first; all but the last are inlined into the next. Returns how many:
 * 0 where DWARF knows nothing about `address`.
 */
size_t symbols_dwarf_resolve(struct symbols_dwarf *dwarf, uint64_t address,
			     struct dwarf_call ret_calls[static DWARF_CALLS_MAX]);

/*
 * The name of what lies at `address` inside the variable that `symbol` covers: "accounts[3].lock",
 * "work()::lock". NULL where DWARF does not describe the variable. Members with names that are
 * reserved to the implementation of a library (_M_mutex, __data) are not spelled out; what is left
 * over is added as "+8". `ret_how`: enum symbols_sharing bits.
 */
const char *symbols_dwarf_name_data(struct symbols_dwarf *dwarf, const struct elf_symbol *symbol,
				    uint64_t address, unsigned *ret_how);

/* Where that variable is declared; false where DWARF does not say. */
bool symbols_dwarf_place_data(struct symbols_dwarf *dwarf, const struct elf_symbol *symbol,
			      const char **ret_file, int *ret_line);

#endif
