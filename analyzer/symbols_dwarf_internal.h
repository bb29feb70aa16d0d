/* SPDX-License-Identifier: MIT */
/*
 * symbols_dwarf_internal.h - the units of a module, shared by the code side and the data side.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_DWARF_INTERNAL_H
#define THRUM_ANALYZER_SYMBOLS_DWARF_INTERNAL_H

#include "symbols_dwarf.h"

/* Debug information of hostile or broken files nests deeper than any compiler does. */
#define DWARF_DEPTH_MAX 96

struct dwarf_range {
	uint64_t start, end;
	uint64_t max_end; /* of this and all before it, once sorted */
	size_t index; /* of a unit, of a function in its unit, of an inlined call in its function */
};

struct dwarf_ranges {
	struct dwarf_range *range; /* owns; ordered by start, then the longer first */
	size_t count, capacity;
};

struct dwarf_inlined {
	Dwarf_Die die;
	size_t parent; /* index of the inlined call around it; DWARF_NO_PARENT = the function itself */
};

#define DWARF_NO_PARENT SIZE_MAX

struct dwarf_function {
	Dwarf_Die die;
	bool inlined_done;
	struct dwarf_inlined *inlined; /* owns; a call stands before those inside it */
	size_t inlined_count, inlined_capacity;
	struct dwarf_ranges inlined_ranges;
};

struct dwarf_variable {
	uint64_t address;
	Dwarf_Die die;
	const char *function; /* of a static variable of a function: its name, else NULL; arena */
};

struct dwarf_unit {
	Dwarf_Die die; /* of the unit; of a skeleton until `split` was looked up */
	bool is_skeleton, split_done;
	uint32_t lines_round; /* when its lines were read: see dwarf_unit_get_lines */
	const char *language;
	const char *name; /* source file, borrowed from libdw */

	bool functions_done, functions_deep;
	struct dwarf_function *functions; /* owns */
	size_t function_count, function_capacity;
	struct dwarf_ranges function_ranges;

	bool variables_done, variables_deep;
	struct dwarf_variable *variables; /* owns */
	size_t variable_count, variable_capacity;
};

struct symbols_dwarf {
	Dwarf *dwarf;	 /* borrowed from the module */
	Dwarf_Addr bias; /* address of the main file - address in DWARF */
	const struct symbols_elf *elf;
	struct symbols_arena *arena;
	struct dwarf_unit *units; /* owns */
	size_t unit_count, unit_capacity;
	struct dwarf_ranges unit_ranges;
	uint64_t variable_budget; /* entries that may still be looked at for variables */
	Dwarf *lines;		  /* owns; NULL = not yet */
	uint64_t lines_kept;	  /* in it */
	uint32_t lines_round;	  /* how often it was made anew */
};

/* The unit's tree: of the split file where there is one. */
Dwarf_Die *dwarf_unit_get_tree(struct dwarf_unit *unit);

/*
 * The unit's entry for questions about lines and files. libdw keeps the lines of every unit it was
 * asked about, 50 bytes each, until its session ends: so they are asked of a session of their own,
 * which is made anew when they become too many. `ret_unit` is valid until the next call.
 */
void dwarf_unit_get_lines(struct symbols_dwarf *dwarf, struct dwarf_unit *unit,
			  Dwarf_Die *ret_unit);

/*
 * The name to show for a function or variable entry, in the arena; NULL = it has none.
 * `ret_linkage` (may be NULL): the name came from the linker name.
 */
const char *dwarf_entry_name(struct symbols_dwarf *dwarf, Dwarf_Die *die, const char *language,
			     bool *ret_linkage);

/* "c", "c++", "rust" …; NULL where the unit does not say or nobody knows the number. */
const char *dwarf_unit_language(Dwarf_Die *unit);

/*
 * "/src/./a//b/../c.c" to "/src/a/c.c", in the arena; only by words, links are not looked at. NULL
 * where there is no path.
 */
const char *dwarf_clean_path(struct symbols_arena *arena, const char *path);

#endif
