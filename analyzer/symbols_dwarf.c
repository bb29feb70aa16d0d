/* SPDX-License-Identifier: MIT */
/*
 * symbols_dwarf.c - units by address, functions by address, the chain of inlined calls at an
 * address.
 *
 * dwarf_getscopes was not used: it walks the unit from its start for each address, which takes 10
 * ms in a large C++ unit. Here each unit is walked once.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf */
#endif
#include "symbols_dwarf_internal.h"

#include "sorted.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_MAX (1u << 22)	 /* of one index; more come only from hostile files */
#define LINES_KEPT_MAX 2000000u	 /* about 100 MiB */
#define VARIABLE_BUDGET 4000000u /* entries; about a second */

/* ---- ranges ---- */

#define COMPARE(x, y)                              \
	do {                                       \
		if ((x) != (y))                    \
			return (x) < (y) ? -1 : 1; \
	} while (0)

static int compare_ranges(const void *left, const void *right)
{
	const struct dwarf_range *a = left, *b = right;

	COMPARE(a->start, b->start);
	COMPARE(b->end, a->end);
	COMPARE(a->index, b->index);
	return 0;
}

static void ranges_sort(struct dwarf_ranges *ranges)
{
	uint64_t max_end = 0;

	if (ranges->count)
		qsort(ranges->range, ranges->count, sizeof(*ranges->range), compare_ranges);
	for (size_t i = 0; i < ranges->count; i++) {
		if (ranges->range[i].end > max_end)
			max_end = ranges->range[i].end;
		ranges->range[i].max_end = max_end;
	}
}

/*
 * The innermost range with `address`: walking back from the last that starts before it, the first
 * that covers it.
 */
static const struct dwarf_range *ranges_find(const struct dwarf_ranges *ranges, uint64_t address)
{
	size_t at = sorted_up_to(ranges->range, ranges->count, sizeof(*ranges->range),
				 offsetof(struct dwarf_range, start), address);

	while (at && ranges->range[--at].max_end > address)
		if (ranges->range[at].end > address)
			return &ranges->range[at];
	return NULL;
}

/*
 * Adds the code ranges of `die`. Those outside the module's code are what the linker threw away: it
 * leaves them at 0 or at a mark, and with a large unit they would cover the code of others.
 */
static bool ranges_add(struct symbols_dwarf *dwarf, struct dwarf_ranges *ranges, Dwarf_Die *die,
		       size_t index)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t offset = 0;
	bool any = false;

	while (ranges->count < RANGES_MAX &&
	       (offset = dwarf_ranges(die, offset, &base, &start, &end)) > 0) {
		start += dwarf->bias;
		end += dwarf->bias;
		if (start >= end || !symbols_elf_is_code(dwarf->elf, start))
			continue;
		ranges->range = symbols_array_grow(ranges->range, ranges->count, &ranges->capacity,
						   sizeof(*ranges->range));
		ranges->range[ranges->count++] = (struct dwarf_range){ start, end, end, index };
		any = true;
	}
	return any;
}

/* ---- units ---- */

static void read_units(struct symbols_dwarf *dwarf)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;

	while (!dwarf_get_units(dwarf->dwarf, cu, &cu, NULL, &type, &die, NULL)) {
		struct dwarf_unit *unit;

		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		dwarf->units = symbols_array_grow(dwarf->units, dwarf->unit_count,
						  &dwarf->unit_capacity, sizeof(*dwarf->units));
		unit = &dwarf->units[dwarf->unit_count];
		memset(unit, 0, sizeof(*unit));
		unit->die = die;
		unit->is_skeleton = type == DW_UT_skeleton;
		ranges_add(dwarf, &dwarf->unit_ranges, &die, dwarf->unit_count++);
	}
	ranges_sort(&dwarf->unit_ranges);
}

Dwarf_Die *dwarf_unit_get_tree(struct dwarf_unit *unit)
{
	if (!unit->split_done) {
		Dwarf_Die split;

		unit->split_done = true;
		if (unit->is_skeleton &&
		    !dwarf_cu_info(unit->die.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) &&
		    split.addr)
			unit->die = split;
		unit->language = dwarf_unit_language(&unit->die);
		unit->name = dwarf_diename(&unit->die);
	}
	return &unit->die;
}

void dwarf_unit_get_lines(struct symbols_dwarf *dwarf, struct dwarf_unit *unit, Dwarf_Die *ret_unit)
{
	Dwarf_Lines *lines;
	size_t count;

	*ret_unit = unit->die;
	if (unit->is_skeleton)
		return; /* files and lines of split units lie in two sessions of libdw's own */
	if (dwarf->lines_kept > LINES_KEPT_MAX) {
		dwarf_end(dwarf->lines);
		dwarf->lines = NULL;
	}
	if (!dwarf->lines) {
		dwarf->lines = dwarf_begin_elf(dwarf_getelf(dwarf->dwarf), DWARF_C_READ, NULL);
		if (!dwarf->lines)
			return;
		dwarf_setalt(dwarf->lines, dwarf_getalt(dwarf->dwarf));
		dwarf->lines_kept = 0;
		dwarf->lines_round++;
	}
	if (!dwarf_offdie(dwarf->lines, dwarf_dieoffset(&unit->die), ret_unit)) {
		*ret_unit = unit->die;
		return;
	}
	if (unit->lines_round == dwarf->lines_round)
		return;
	unit->lines_round = dwarf->lines_round;
	if (!dwarf_getsrclines(ret_unit, &lines, &count))
		dwarf->lines_kept += count;
}

struct symbols_dwarf *symbols_dwarf_new(Dwfl_Module *module, const struct symbols_elf *elf,
					struct symbols_arena *arena)
{
	struct symbols_dwarf *dwarf;
	Dwarf_Addr bias;
	Dwarf *handle = dwfl_module_getdwarf(module, &bias);

	if (!handle)
		return NULL;
	dwarf = calloc(1, sizeof(*dwarf));
	if (!dwarf)
		abort();
	dwarf->dwarf = handle;
	dwarf->bias = bias;
	dwarf->elf = elf;
	dwarf->arena = arena;
	dwarf->variable_budget = VARIABLE_BUDGET;
	read_units(dwarf);
	return dwarf;
}

/* Forgets the functions of a unit, but keeps the arrays. */
static void drop_functions(struct dwarf_unit *unit)
{
	for (size_t i = 0; i < unit->function_count; i++) {
		free(unit->functions[i].inlined);
		free(unit->functions[i].inlined_ranges.range);
	}
	unit->function_count = 0;
	unit->function_ranges.count = 0;
}

void symbols_dwarf_free(struct symbols_dwarf *dwarf)
{
	if (!dwarf)
		return;
	for (size_t i = 0; i < dwarf->unit_count; i++) {
		drop_functions(&dwarf->units[i]);
		free(dwarf->units[i].functions);
		free(dwarf->units[i].function_ranges.range);
		free(dwarf->units[i].variables);
	}
	free(dwarf->units);
	free(dwarf->unit_ranges.range);
	dwarf_end(dwarf->lines); /* takes NULL */
	free(dwarf);
}

/* ---- functions of a unit ---- */

static void add_function(struct symbols_dwarf *dwarf, struct dwarf_unit *unit, Dwarf_Die *die)
{
	if (!ranges_add(dwarf, &unit->function_ranges, die, unit->function_count))
		return;
	unit->functions = symbols_array_grow(unit->functions, unit->function_count,
					     &unit->function_capacity, sizeof(*unit->functions));
	unit->functions[unit->function_count++] = (struct dwarf_function){ .die = *die };
}

/*
 * Shallow: where nearly all compilers put functions with code. Deep: also inside types and other
 * functions.
 */
static bool may_hold_functions(int tag, bool deep)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return true;
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type: /* Rust */
		return deep;
	default:
		return false;
	}
}

static void read_functions(struct symbols_dwarf *dwarf, struct dwarf_unit *unit, Dwarf_Die *parent,
			   bool deep, int depth)
{
	Dwarf_Die die;

	if (depth > DWARF_DEPTH_MAX || dwarf_child(parent, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram)
			add_function(dwarf, unit, &die);
		if (may_hold_functions(tag, deep))
			read_functions(dwarf, unit, &die, deep, depth + 1);
	} while (!dwarf_siblingof(&die, &die));
}

static void index_functions(struct symbols_dwarf *dwarf, struct dwarf_unit *unit, bool deep)
{
	Dwarf_Die *tree = dwarf_unit_get_tree(unit);

	drop_functions(unit);
	read_functions(dwarf, unit, tree, deep, 0);
	ranges_sort(&unit->function_ranges);
	unit->functions_done = true;
	unit->functions_deep = deep;
}

static struct dwarf_function *find_function(struct symbols_dwarf *dwarf, struct dwarf_unit *unit,
					    uint64_t address)
{
	const struct dwarf_range *range;

	if (!unit->functions_done)
		index_functions(dwarf, unit, false);
	range = ranges_find(&unit->function_ranges, address);
	if (!range && !unit->functions_deep) {
		index_functions(dwarf, unit, true);
		range = ranges_find(&unit->function_ranges, address);
	}
	return range ? &unit->functions[range->index] : NULL;
}

/* ---- inlined calls ---- */

/*
 * Lists the inlined calls below `parent`. One without ranges is listed all the same, since it is
 * the parent of others: GCC 12 with DWARF 4 starts the ranges of a call that was inlined at the
 * start of a unit with a pair of zeros, which ends them.
 */
static void read_inlined(struct symbols_dwarf *dwarf, struct dwarf_function *function,
			 Dwarf_Die *block, size_t parent, int depth)
{
	Dwarf_Die die;

	if (depth > DWARF_DEPTH_MAX || dwarf_child(block, &die))
		return;
	do {
		size_t inside = parent;

		switch (dwarf_tag(&die)) {
		case DW_TAG_inlined_subroutine:
			inside = function->inlined_count++;
			function->inlined = symbols_array_grow(function->inlined, inside,
							       &function->inlined_capacity,
							       sizeof(*function->inlined));
			function->inlined[inside] = (struct dwarf_inlined){ die, parent };
			ranges_add(dwarf, &function->inlined_ranges, &die, inside);
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
			break;
		default:
			continue;
		}
		read_inlined(dwarf, function, &die, inside, depth + 1);
	} while (!dwarf_siblingof(&die, &die));
}

/*
 * Puts the inlined calls at `address` into `chain`, innermost first, and returns how many there
 * are.
 */
static size_t find_inlined(struct symbols_dwarf *dwarf, struct dwarf_function *function,
			   uint64_t address, Dwarf_Die *chain)
{
	const struct dwarf_range *range;
	size_t count = 0;

	if (!function->inlined_done) {
		read_inlined(dwarf, function, &function->die, DWARF_NO_PARENT, 0);
		ranges_sort(&function->inlined_ranges);
		function->inlined_done = true;
	}
	range = ranges_find(&function->inlined_ranges, address);
	if (!range)
		return 0;
	for (size_t i = range->index; i != DWARF_NO_PARENT && count < DWARF_CALLS_MAX - 1;
	     i = function->inlined[i].parent)
		chain[count++] = function->inlined[i].die;
	return count;
}

static int number_attribute(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) || value > INT32_MAX)
		return 0;
	return (int)value;
}

/* Compilers name files relative to the folder they ran in ("../src/x.c"), which nobody else knows. */
static const char *file_path(struct symbols_dwarf *dwarf, Dwarf_Die *unit, const char *path)
{
	Dwarf_Attribute attribute;
	const char *folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
	const char *clean;
	char *joined = NULL;

	/* A folder that is relative itself was made so (-ffile-prefix-map), and is part of the path already. */
	if (!path || *path == '/' || !folder || *folder != '/' || !strcmp(path, "???") ||
	    asprintf(&joined, "%s/%s", folder, path) < 0)
		return dwarf_clean_path(dwarf->arena, path);
	clean = dwarf_clean_path(dwarf->arena, joined);
	free(joined);
	return clean;
}

static const char *call_file(struct symbols_dwarf *dwarf, Dwarf_Die *unit, Dwarf_Die *inlined)
{
	int index = number_attribute(inlined, DW_AT_call_file);
	Dwarf_Files *files;
	size_t count;

	if (!dwarf_hasattr(inlined, DW_AT_call_file) || dwarf_getsrcfiles(unit, &files, &count) ||
	    (size_t)index >= count)
		return NULL;
	return file_path(dwarf, unit, dwarf_filesrc(files, (size_t)index, NULL, NULL));
}

static void find_line(struct symbols_dwarf *dwarf, Dwarf_Die *unit, Dwarf_Addr pc,
		      struct dwarf_call *call)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, pc);

	if (!line)
		return;
	call->file = file_path(dwarf, unit, dwarf_linesrc(line, NULL, NULL));
	if (dwarf_lineno(line, &call->line) || call->line < 0)
		call->line = 0;
}

size_t symbols_dwarf_resolve(struct symbols_dwarf *dwarf, uint64_t address,
			     struct dwarf_call ret_calls[static DWARF_CALLS_MAX])
{
	const struct dwarf_range *range = ranges_find(&dwarf->unit_ranges, address);
	Dwarf_Addr pc = address - dwarf->bias, entry;
	Dwarf_Die chain[DWARF_CALLS_MAX], lines;
	struct dwarf_function *function;
	struct dwarf_unit *unit;
	size_t inlined;

	if (!range)
		return 0;
	unit = &dwarf->units[range->index];
	dwarf_unit_get_tree(unit);
	dwarf_unit_get_lines(dwarf, unit, &lines);
	function = find_function(dwarf, unit, address);
	inlined = function ? find_inlined(dwarf, function, address, chain) : 0;

	ret_calls[0] = (struct dwarf_call){ .language = unit->language };
	find_line(dwarf, &lines, pc, &ret_calls[0]);
	for (size_t i = 0; i < inlined; i++) {
		struct dwarf_call *call = &ret_calls[i];

		call->function =
			dwarf_entry_name(dwarf, &chain[i], unit->language, &call->has_linkage_name);
		/* The next one out is where this call stands. */
		ret_calls[i + 1] = (struct dwarf_call){
			.language = unit->language,
			.file = call_file(dwarf, &lines, &chain[i]),
			.line = number_attribute(&chain[i], DW_AT_call_line),
		};
	}
	if (function) {
		struct dwarf_call *call = &ret_calls[inlined];

		call->function = dwarf_entry_name(dwarf, &function->die, unit->language,
						  &call->has_linkage_name);
		if (!dwarf_entrypc(&function->die, &entry))
			call->entry = entry + dwarf->bias;
	}
	return inlined + 1;
}
