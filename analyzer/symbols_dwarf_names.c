/* SPDX-License-Identifier: MIT */
/*
 * symbols_dwarf_names.c - the words of DWARF entries: languages, names of functions and variables,
 * paths.
 */
#include "demangle.h"
#include "symbols_dwarf_internal.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

struct language_row {
	int code;
	const char *name;
};

static const struct language_row languages[] = {
	{ DW_LANG_C89, "c" },
	{ DW_LANG_C, "c" },
	{ DW_LANG_C99, "c" },
	{ DW_LANG_C11, "c" },
	{ 0x2c /* C17 */, "c" },
	{ DW_LANG_C_plus_plus, "c++" },
	{ DW_LANG_C_plus_plus_03, "c++" },
	{ DW_LANG_C_plus_plus_11, "c++" },
	{ DW_LANG_C_plus_plus_14, "c++" },
	{ 0x2b /* C++17 */, "c++" },
	{ 0x2a /* C++20 */, "c++" },
	{ 0x001c /* Rust */, "rust" },
	{ DW_LANG_Go, "go" },
	{ DW_LANG_D, "d" },
	{ DW_LANG_ObjC, "objective-c" },
	{ DW_LANG_ObjC_plus_plus, "objective-c++" },
	{ DW_LANG_Swift, "swift" },
	{ DW_LANG_Ada83, "ada" },
	{ DW_LANG_Ada95, "ada" },
	{ DW_LANG_Fortran77, "fortran" },
	{ DW_LANG_Fortran90, "fortran" },
	{ DW_LANG_Fortran95, "fortran" },
	{ DW_LANG_Fortran03, "fortran" },
	{ DW_LANG_Fortran08, "fortran" },
	{ DW_LANG_Mips_Assembler, "asm" },
};

const char *dwarf_unit_language(Dwarf_Die *unit)
{
	int code = dwarf_srclang(unit);

	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (languages[i].code == code)
			return languages[i].name;
	return NULL;
}

static const char *string_attribute(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

/*
 * GCC calls the class of a lambda "<lambda(int)>", demanglers say "{lambda(int)}"; what differs by
 * version is cut.
 */
static const char *scope_name(struct symbols_dwarf *dwarf, Dwarf_Die *scope)
{
	const char *name = dwarf_diename(scope);

	switch (dwarf_tag(scope)) {
	case DW_TAG_namespace:
		return name ? name : "(anonymous namespace)";
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		if (!name)
			return "{lambda()}"; /* Clang names no lambda */
		if (!strncmp(name, "<lambda", 7) && strlen(name) > 8)
			return symbols_arena_printf(dwarf->arena, "{%.*s}", (int)strlen(name) - 2,
						    name + 1);
		return name;
	case DW_TAG_subprogram:
		return name;
	default:
		return NULL;
	}
}

/*
 * The entries around `die`, outermost (the unit) first; returns how many. Entries lie in the order
 * of their offsets, so of each level only the last that begins before `die` is entered.
 *
 * dwarf_getscopes_die was not used: it visits all entries ahead of `die`, which takes 10 ms in a
 * large C++ unit.
 */
static size_t find_scopes(Dwarf_Die *die, Dwarf_Die scopes[static DWARF_DEPTH_MAX])
{
	Dwarf_Off target = dwarf_dieoffset(die);
	size_t count = 0;
	Dwarf_Die at, next;

	if (!dwarf_diecu(die, &at, NULL, NULL))
		return 0;
	while (dwarf_dieoffset(&at) < target && count < DWARF_DEPTH_MAX) {
		scopes[count++] = at;
		if (dwarf_child(&scopes[count - 1], &at))
			return 0;
		while (dwarf_dieoffset(&at) < target && !dwarf_siblingof(&at, &next) &&
		       dwarf_dieoffset(&next) <= target)
			at = next;
	}
	return dwarf_dieoffset(&at) == target ? count : 0;
}

/*
 * "ns::Class::name" for C++ functions without a linker name (lambdas and members that were inlined
 * everywhere, with some compilers).
 */
static const char *qualified_name(struct symbols_dwarf *dwarf, Dwarf_Die *die, const char *name)
{
	Dwarf_Attribute attribute;
	Dwarf_Die declared = *die, scopes[DWARF_DEPTH_MAX];

	for (int hops = 0;
	     hops < DWARF_DEPTH_MAX && (dwarf_attr(&declared, DW_AT_abstract_origin, &attribute) ||
					dwarf_attr(&declared, DW_AT_specification, &attribute));
	     hops++)
		if (!dwarf_formref_die(&attribute, &declared))
			return name;
	for (size_t i = find_scopes(&declared, scopes); i-- > 0;) {
		bool complete = dwarf_tag(&scopes[i]) == DW_TAG_subprogram &&
				string_attribute(&scopes[i], DW_AT_linkage_name);
		const char *scope = complete ? dwarf_entry_name(dwarf, &scopes[i], NULL, NULL)
					     : scope_name(dwarf, &scopes[i]);

		if (scope)
			name = symbols_arena_printf(dwarf->arena, "%s::%s", scope, name);
		if (complete)
			break;
	}
	return name;
}

const char *dwarf_entry_name(struct symbols_dwarf *dwarf, Dwarf_Die *die, const char *language,
			     bool *ret_linkage)
{
	const char *linkage = string_attribute(die, DW_AT_linkage_name);
	const char *name;

	if (!linkage)
		linkage = string_attribute(die, DW_AT_MIPS_linkage_name);
	if (ret_linkage)
		*ret_linkage = linkage;
	if (linkage) {
		char *demangled = demangle_function(linkage, NULL);

		name = symbols_arena_copy(dwarf->arena, demangled);
		free(demangled);
		return name;
	}
	name = string_attribute(die, DW_AT_name);
	if (name && language && (!strcmp(language, "c++") || !strcmp(language, "rust")) &&
	    strcmp(name, "main"))
		name = qualified_name(dwarf, die, name);
	return name;
}

const char *dwarf_clean_path(struct symbols_arena *arena, const char *path)
{
	char *copy, *out;

	if (!path || !*path || !strcmp(path, "???"))
		return NULL;
	copy = symbols_arena_copy(arena, path);
	out = copy;
	if (*path == '/')
		*out++ = '/';
	for (const char *word = path; *word;) {
		size_t bytes = strcspn(word, "/");
		bool up = bytes == 2 && word[0] == '.' && word[1] == '.';

		if (up && *path == '/' && out > copy + 1) {
			for (out--; out > copy + 1 && out[-1] != '/';)
				out--;
		} else if (bytes && !(bytes == 1 && word[0] == '.') && !(up && *path == '/')) {
			memmove(out, word, bytes);
			out += bytes;
			if (word[bytes])
				*out++ = '/';
		}
		word += bytes;
		word += strspn(word, "/");
	}
	*out = '\0';
	return *copy ? copy : NULL;
}
