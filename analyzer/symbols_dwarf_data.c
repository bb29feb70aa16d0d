/* SPDX-License-Identifier: MIT */
/*
 * symbols_dwarf_data.c - variables of static storage by address, and the member or element at an
 * offset of their type.
 *
 * DWARF has no index from data addresses to units, so units are walked in the order in which they
 * are likely: those with the source file that the ELF symbol names first, then all, until a budget
 * of entries is spent.
 */
#include "symbols_dwarf_internal.h"

#include "demangle.h"

#include <ctype.h>
#include <dwarf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 512
#define TYPE_DEPTH_MAX 24

/* ---- variables of a unit ---- */

/* The address of a variable whose location is nothing but an address. */
static bool variable_address(Dwarf_Die *die, Dwarf_Addr *ret_address)
{
	Dwarf_Attribute attribute, operand;
	Dwarf_Op *ops;
	size_t count;

	if (!dwarf_attr(die, DW_AT_location, &attribute) ||
	    dwarf_getlocation(&attribute, &ops, &count) || count != 1)
		return false;
	if (ops[0].atom == DW_OP_addr) {
		*ret_address = ops[0].number;
		return true;
	}
	if (ops[0].atom != DW_OP_addrx && ops[0].atom != DW_OP_GNU_addr_index)
		return false;
	return !dwarf_getlocation_attr(&attribute, &ops[0], &operand) &&
	       !dwarf_formaddr(&operand, ret_address);
}

static void add_variable(struct symbols_dwarf *dwarf, struct dwarf_unit *unit, Dwarf_Die *die,
			 Dwarf_Die *function)
{
	struct dwarf_variable *variable;
	Dwarf_Addr address;

	if (!variable_address(die, &address))
		return;
	unit->variables = symbols_array_grow(unit->variables, unit->variable_count,
					     &unit->variable_capacity, sizeof(*unit->variables));
	variable = &unit->variables[unit->variable_count++];
	variable->address = address + dwarf->bias;
	variable->die = *die;
	variable->function = function ? dwarf_entry_name(dwarf, function, unit->language, NULL)
				      : NULL;
}

/* `deep`: static variables of functions too. `function` is the one that encloses `parent`. */
static void read_variables(struct symbols_dwarf *dwarf, struct dwarf_unit *unit, Dwarf_Die *parent,
			   Dwarf_Die *function, bool deep, int depth)
{
	Dwarf_Die die;

	if (depth > DWARF_DEPTH_MAX || dwarf_child(parent, &die))
		return;
	do {
		if (!dwarf->variable_budget)
			return;
		dwarf->variable_budget--;
		switch (dwarf_tag(&die)) {
		case DW_TAG_variable:
			add_variable(dwarf, unit, &die, function);
			break;
		case DW_TAG_namespace:
		case DW_TAG_module:
			read_variables(dwarf, unit, &die, function, deep, depth + 1);
			break;
		case DW_TAG_subprogram:
		case DW_TAG_inlined_subroutine:
			if (deep)
				read_variables(dwarf, unit, &die, &die, deep, depth + 1);
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
			if (deep)
				read_variables(dwarf, unit, &die, function, deep, depth + 1);
			break;
		}
	} while (!dwarf_siblingof(&die, &die));
}

static int compare_variables(const void *left, const void *right)
{
	const struct dwarf_variable *a = left, *b = right;

	return a->address < b->address ? -1 : a->address > b->address;
}

static struct dwarf_variable *find_in_unit(struct symbols_dwarf *dwarf, struct dwarf_unit *unit,
					   uint64_t address, bool deep)
{
	struct dwarf_variable key = { .address = address };

	if (!unit->variables_done || (deep && !unit->variables_deep)) {
		Dwarf_Die *tree = dwarf_unit_get_tree(unit);

		unit->variable_count = 0;
		read_variables(dwarf, unit, tree, NULL, deep, 0);
		if (unit->variable_count)
			qsort(unit->variables, unit->variable_count, sizeof(*unit->variables),
			      compare_variables);
		unit->variables_done = true;
		unit->variables_deep = deep;
	}
	if (!unit->variable_count)
		return NULL;
	return bsearch(&key, unit->variables, unit->variable_count, sizeof(*unit->variables),
		       compare_variables);
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static bool has_source(struct dwarf_unit *unit, const char *file)
{
	dwarf_unit_get_tree(unit);
	return unit->name && file && !strcmp(base_name(unit->name), base_name(file));
}

static struct dwarf_variable *find_variable(struct symbols_dwarf *dwarf,
					    const struct elf_symbol *symbol, bool deep)
{
	struct dwarf_variable *found = NULL;

	for (size_t i = 0; i < dwarf->unit_count && !found && symbol->file; i++)
		if (has_source(&dwarf->units[i], symbol->file))
			found = find_in_unit(dwarf, &dwarf->units[i], symbol->address, deep);
	for (size_t i = 0; i < dwarf->unit_count && !found; i++)
		if (!has_source(&dwarf->units[i], symbol->file))
			found = find_in_unit(dwarf, &dwarf->units[i], symbol->address, deep);
	return found;
}

/* ---- the path through a type ---- */

struct path {
	char text[PATH_BYTES];
	size_t bytes;
	unsigned how; /* enum symbols_sharing */
	uint64_t
		unseen_bytes; /* walked through members without a word in the text, since its last word */
};

__attribute__((format(printf, 2, 3))) static void path_add(struct path *path, const char *format,
							   ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length =
		vsnprintf(path->text + path->bytes, sizeof(path->text) - path->bytes, format, args);
	va_end(args);
	path->unseen_bytes = 0;
	if (length > 0 && (size_t)length < sizeof(path->text) - path->bytes)
		path->bytes += (size_t)length;
	else
		path->text[path->bytes] = '\0'; /* does not fit: leave the part out */
}

/* `_Atomic`, std::atomic and what it is made of, and volatile: on the way through the qualifiers and names of a type. */
static unsigned sharing_of(Dwarf_Die *die)
{
	static const char *const atomics[] = { "atomic<", "atomic_", "__atomic_" };
	Dwarf_Attribute attribute;
	unsigned how = 0;
	Dwarf_Die type = *die;

	for (int depth = 0;
	     depth < TYPE_DEPTH_MAX &&
	     dwarf_formref_die(dwarf_attr_integrate(&type, DW_AT_type, &attribute), &type);
	     depth++) {
		const char *name = dwarf_diename(&type);
		int tag = dwarf_tag(&type);
		bool is_class = tag == DW_TAG_structure_type || tag == DW_TAG_class_type;

		how |= tag == DW_TAG_atomic_type ? SYMBOLS_ATOMIC : 0;
		how |= tag == DW_TAG_volatile_type ? SYMBOLS_VOLATILE : 0;
		for (size_t i = 0; name && is_class && i < sizeof(atomics) / sizeof(atomics[0]);
		     i++)
			if (!strncmp(name, atomics[i], strlen(atomics[i])))
				how |= SYMBOLS_ATOMIC;
		if (tag != DW_TAG_typedef && tag != DW_TAG_const_type &&
		    tag != DW_TAG_volatile_type && tag != DW_TAG_atomic_type &&
		    tag != DW_TAG_restrict_type)
			break;
	}
	return how;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *ret_type)
{
	Dwarf_Attribute attribute;
	Dwarf_Die type;

	return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), &type) &&
	       !dwarf_peel_type(&type, ret_type);
}

static bool size_of(Dwarf_Die *die, Dwarf_Word *ret_bytes)
{
	return !dwarf_aggregate_size(die, ret_bytes) && *ret_bytes;
}

/* Elements of one dimension; 0 = not said. */
static uint64_t dimension(Dwarf_Die *range)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_formudata(dwarf_attr_integrate(range, DW_AT_count, &attribute), &value))
		return value;
	if (!dwarf_formudata(dwarf_attr_integrate(range, DW_AT_upper_bound, &attribute), &value) &&
	    value < UINT64_MAX)
		return value + 1;
	return 0;
}

/* Adds "[i][j]" and reduces `offset` to one inside the element. */
static bool enter_array(Dwarf_Die *array, uint64_t *offset, Dwarf_Die *ret_element,
			struct path *path)
{
	uint64_t count[8], index;
	Dwarf_Die range;
	Dwarf_Word bytes;
	size_t dimensions = 0;

	if (!type_of(array, ret_element) || !size_of(ret_element, &bytes) ||
	    dwarf_child(array, &range))
		return false;
	do {
		if (dwarf_tag(&range) == DW_TAG_subrange_type && dimensions < 8)
			count[dimensions++] = dimension(&range);
	} while (!dwarf_siblingof(&range, &range));
	if (!dimensions)
		return false;
	index = *offset / bytes;
	for (size_t i = 0; i < dimensions; i++) {
		uint64_t stride = 1;

		for (size_t j = i + 1; j < dimensions; j++)
			if (!count[j] || __builtin_mul_overflow(stride, count[j], &stride))
				return false;
		path_add(path, "[%llu]", (unsigned long long)(index / stride));
		index %= stride;
	}
	*offset %= bytes;
	return true;
}

/* "_M_mutex", "__data": names that the C and C++ standards reserve to their libraries. */
static bool is_reserved(const char *name)
{
	return name[0] == '_' && (name[1] == '_' || isupper((unsigned char)name[1]));
}

static bool member_covers(Dwarf_Die *member, uint64_t offset, uint64_t *ret_start,
			  Dwarf_Die *ret_type)
{
	Dwarf_Attribute attribute;
	Dwarf_Word start = 0, bytes;

	if (dwarf_hasattr(member, DW_AT_external) || dwarf_hasattr(member, DW_AT_declaration))
		return false; /* static members lie elsewhere */
	if (dwarf_attr(member, DW_AT_data_member_location, &attribute) &&
	    dwarf_formudata(&attribute, &start))
		return false; /* of a virtual base: not known offline */
	if (offset < start || !type_of(member, ret_type) || !size_of(ret_type, &bytes) ||
	    offset - start >= bytes)
		return false;
	*ret_start = start;
	return true;
}

/* Steps into the member or base class at `offset`. Of a union, the first. */
static bool enter_struct(Dwarf_Die *type, uint64_t *offset, Dwarf_Die *ret_member, bool *hidden,
			 struct path *path)
{
	Dwarf_Die die;
	uint64_t start;

	if (dwarf_child(type, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);
		const char *name;

		if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
		    !member_covers(&die, *offset, &start, ret_member))
			continue;
		name = tag == DW_TAG_member ? dwarf_diename(&die) : NULL;
		*hidden = name && is_reserved(name);
		path->unseen_bytes += start;
		if (name && !*hidden)
			path_add(path, ".%s", name);
		*offset -= start;
		path->how |= sharing_of(&die);
		return true;
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

/* Follows the type of `variable` down to `offset`; returns what of the offset no name covers. */
static uint64_t walk_type(Dwarf_Die *variable, uint64_t offset, struct path *path)
{
	Dwarf_Die type, next;
	bool hidden = false;

	path->how |= sharing_of(variable);
	if (!type_of(variable, &type))
		return offset;
	for (int depth = 0; depth < TYPE_DEPTH_MAX; depth++) {
		switch (dwarf_tag(&type)) {
		case DW_TAG_array_type:
			/*
			 * Bytes and counters inside a library's own object say nothing to anybody.
			 */
			if (hidden &&
			    (!type_of(&type, &next) || dwarf_tag(&next) == DW_TAG_base_type))
				return offset;
			path->how |= sharing_of(&type);
			if (!enter_array(&type, &offset, &next, path))
				return offset;
			break;
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
			if (!enter_struct(&type, &offset, &next, &hidden, path))
				return offset;
			break;
		default:
			return offset;
		}
		type = next;
	}
	return offset;
}

/* ---- names ---- */

/*
 * GCC names a static variable of a C function "lock.0", Clang "work.lock"; C++ has
 * "_ZZ4workvE4lock".
 */
static bool may_be_local_static(const struct elf_symbol *symbol)
{
	return symbol->binding == STB_LOCAL && strchr(symbol->name, '.');
}

/*
 * The function in "work.lock", the symbol of a variable `plain`: Clang 14 leaves the entry of a
 * function without a name where all calls of it were inlined. 0 = the symbol does not say; else
 * length.
 */
static size_t function_in_symbol(const char *symbol, const char *plain)
{
	const char *dot = strchr(symbol, '.');

	return dot && dot != symbol && !strcmp(dot + 1, plain) ? (size_t)(dot - symbol) : 0;
}

static const char *variable_name(struct symbols_dwarf *dwarf, const struct elf_symbol *symbol,
				 struct dwarf_variable *variable)
{
	char *name = demangle_variable(symbol->name);
	const char *result;
	Dwarf_Attribute attribute;
	const char *plain =
		dwarf_formstring(dwarf_attr_integrate(&variable->die, DW_AT_name, &attribute));

	if (strcmp(name, symbol->name)) /* mangled: complete as it is */
		result = symbols_arena_copy(dwarf->arena, name);
	else if (variable->function && plain)
		result = symbols_arena_printf(dwarf->arena, "%s%s::%s", variable->function,
					      strchr(variable->function, '(') ? "" : "()", plain);
	else if (plain && function_in_symbol(symbol->name, plain))
		result = symbols_arena_printf(dwarf->arena, "%.*s()::%s",
					      (int)function_in_symbol(symbol->name, plain),
					      symbol->name, plain);
	else
		result = symbols_arena_copy(dwarf->arena, plain ? plain : name);
	free(name);
	return result;
}

static struct dwarf_variable *variable_of(struct symbols_dwarf *dwarf,
					  const struct elf_symbol *symbol)
{
	struct dwarf_variable *variable = find_variable(dwarf, symbol, may_be_local_static(symbol));

	if (!variable && !strncmp(symbol->name, "_ZZ", 3))
		variable = find_variable(dwarf, symbol, true);
	return variable;
}

bool symbols_dwarf_place_data(struct symbols_dwarf *dwarf, const struct elf_symbol *symbol,
			      const char **ret_file, int *ret_line)
{
	struct dwarf_variable *variable = variable_of(dwarf, symbol);
	const char *file = variable ? dwarf_decl_file(&variable->die) : NULL;
	int line = 0;

	if (!file || dwarf_decl_line(&variable->die, &line) || line <= 0)
		return false;
	*ret_file = dwarf_clean_path(dwarf->arena, file);
	*ret_line = line;
	return *ret_file != NULL;
}

const char *symbols_dwarf_name_data(struct symbols_dwarf *dwarf, const struct elf_symbol *symbol,
				    uint64_t address, unsigned *ret_how)
{
	struct dwarf_variable *variable = variable_of(dwarf, symbol);
	struct path path = { .bytes = 0 };
	const char *name;
	uint64_t left;

	*ret_how = 0;
	if (!variable)
		return NULL;
	name = variable_name(dwarf, symbol, variable);
	left = walk_type(&variable->die, address - symbol->address, &path);
	left += path.unseen_bytes;
	*ret_how = SYMBOLS_TYPED | path.how;
	if (left)
		return symbols_arena_printf(dwarf->arena, "%s%s+%llu", name, path.text,
					    (unsigned long long)left);
	return symbols_arena_printf(dwarf->arena, "%s%s", name, path.text);
}
