/* SPDX-License-Identifier: MIT */
/*
 * symbols_elf.c - reads .symtab or .dynsym once and answers by binary search.
 *
 * dwfl_module_addrinfo was not used: it walks the whole table for each address.
 */
#include "symbols_elf.h"

#include "sorted.h"
#include "symbols_arena.h"

#include <stdlib.h>
#include <string.h>

/* How far back a symbol that covers the address may begin, in symbols (nested objects, aliases). */
#define BACK_MAX 256

static void read_segments(struct symbols_elf *elf, Elf *file)
{
	size_t count, capacity = 0;
	GElf_Phdr phdr;

	if (!file || elf_getphdrnum(file, &count))
		return;
	for (size_t i = 0; i < count && gelf_getphdr(file, (int)i, &phdr); i++) {
		if (phdr.p_type != PT_LOAD || phdr.p_vaddr + phdr.p_memsz < phdr.p_vaddr)
			continue;
		elf->segments = symbols_array_grow(elf->segments, elf->segment_count, &capacity,
						   sizeof(*elf->segments));
		elf->segments[elf->segment_count++] = (struct elf_segment){
			.start = phdr.p_vaddr,
			.end = phdr.p_vaddr + phdr.p_memsz,
			.executable = phdr.p_flags & PF_X,
		};
	}
}

static const struct elf_segment *find_segment(const struct symbols_elf *elf, uint64_t address)
{
	for (size_t i = 0; i < elf->segment_count; i++)
		if (address >= elf->segments[i].start && address < elf->segments[i].end)
			return &elf->segments[i];
	return NULL;
}

bool symbols_elf_covers(const struct symbols_elf *elf, uint64_t address)
{
	return !elf->segment_count || find_segment(elf, address);
}

bool symbols_elf_is_code(const struct symbols_elf *elf, uint64_t address)
{
	const struct elf_segment *segment = find_segment(elf, address);

	return !elf->segment_count || (segment && segment->executable);
}

static void append(struct elf_symbols *list, const struct elf_symbol *symbol)
{
	list->symbol = symbols_array_grow(list->symbol, list->count, &list->capacity,
					  sizeof(*list->symbol));
	list->symbol[list->count++] = *symbol;
}

/* Local labels of assemblers and marks of tools, which name no function. */
static bool is_label(const char *name)
{
	return name[0] == '.' || name[0] == '$' || !strncmp(name, "annobin", 7);
}

static void add_symbol(struct symbols_elf *elf, const struct elf_symbol *symbol)
{
	bool code = symbols_elf_is_code(elf, symbol->address);

	switch (symbol->type) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		append(&elf->functions, symbol);
		break;
	case STT_OBJECT:
	case STT_COMMON:
		if (symbol->bytes)
			append(&elf->objects, symbol);
		break;
	case STT_NOTYPE: /* hand-written assembly */
		if (is_label(symbol->name))
			break;
		if (code)
			append(&elf->functions, symbol);
		else if (symbol->bytes)
			append(&elf->objects, symbol);
		break;
	}
}

static void read_symbols(struct symbols_elf *elf, Dwfl_Module *module)
{
	int count = dwfl_module_getsymtab(module);
	Elf *main_file = NULL;
	GElf_Addr main_bias;
	const char *file = NULL;

	main_file = dwfl_module_getelf(module, &main_bias);
	for (int i = 1; i < count; i++) {
		struct elf_symbol symbol = { 0 };
		GElf_Sym sym;
		GElf_Addr address, bias;
		GElf_Word section;
		Elf *from = NULL;

		symbol.name =
			dwfl_module_getsym_info(module, i, &sym, &address, &section, &from, &bias);
		if (!symbol.name)
			continue;
		symbol.type = GELF_ST_TYPE(sym.st_info);
		symbol.binding = GELF_ST_BIND(sym.st_info);
		if (symbol.type == STT_FILE)
			file = *symbol.name ? symbol.name : NULL;
		if (section == SHN_UNDEF || section == SHN_ABS || !*symbol.name)
			continue;
		/* The value that resolvers see, not what the relocated one points to. */
		symbol.address = sym.st_value + bias - main_bias;
		symbol.bytes = sym.st_size;
		if (symbol.address + symbol.bytes < symbol.address)
			continue;
		symbol.file = symbol.binding == STB_LOCAL ? file : NULL;
		symbol.is_debug_file = from != main_file;
		add_symbol(elf, &symbol);
	}
}

static size_t underscores(const char *name)
{
	return strspn(name, "_");
}

/* A sanitizer's run time has each function of libc by two names: "read", and this one, which says whose it is. */
static bool is_interceptor(const char *name)
{
	size_t bytes = underscores(name);

	return (bytes == 2 || bytes == 3) && !strncmp(name + bytes, "interceptor_", 12);
}

static int binding_rank(const struct elf_symbol *symbol)
{
	switch (symbol->binding) {
	case STB_LOCAL:
		return 2;
	case STB_WEAK:
		return 1;
	default:
		return 0;
	}
}

#define COMPARE(x, y)                              \
	do {                                       \
		if ((x) != (y))                    \
			return (x) < (y) ? -1 : 1; \
	} while (0)

/*
 * By address; of one address, the worst name first, so that walking back from behind meets the best
 * one first.
 */
static int compare_symbols(const void *left, const void *right)
{
	const struct elf_symbol *a = left, *b = right;

	COMPARE(a->address, b->address);
	COMPARE(b->type == STT_NOTYPE, a->type == STT_NOTYPE);
	COMPARE(!b->bytes, !a->bytes);
	COMPARE(is_interceptor(a->name), is_interceptor(b->name));
	COMPARE(underscores(b->name), underscores(a->name));
	COMPARE(binding_rank(b), binding_rank(a));
	COMPARE(strlen(b->name), strlen(a->name));
	return strcmp(b->name, a->name);
}

static void sort(struct elf_symbols *list)
{
	if (list->count)
		qsort(list->symbol, list->count, sizeof(*list->symbol), compare_symbols);
}

void symbols_elf_init(struct symbols_elf *elf, Dwfl_Module *module)
{
	GElf_Addr bias;

	memset(elf, 0, sizeof(*elf));
	read_segments(elf, dwfl_module_getelf(module, &bias));
	read_symbols(elf, module);
	sort(&elf->functions);
	sort(&elf->objects);
}

void symbols_elf_release(struct symbols_elf *elf)
{
	free(elf->functions.symbol);
	free(elf->objects.symbol);
	free(elf->segments);
	memset(elf, 0, sizeof(*elf));
}

/* Index behind the last symbol that begins at or before `address`. */
static size_t upper_bound(const struct elf_symbols *list, uint64_t address)
{
	return sorted_up_to(list->symbol, list->count, sizeof(*list->symbol),
			    offsetof(struct elf_symbol, address), address);
}

static const struct elf_symbol *find_sized(const struct elf_symbols *list, uint64_t address)
{
	size_t index = upper_bound(list, address);

	for (size_t steps = 0; index && steps < BACK_MAX; steps++) {
		const struct elf_symbol *symbol = &list->symbol[--index];

		if (address - symbol->address < symbol->bytes)
			return symbol;
	}
	return NULL;
}

const struct elf_symbol *symbols_elf_find_object(const struct symbols_elf *elf, uint64_t address)
{
	return find_sized(&elf->objects, address);
}

const struct elf_symbol *symbols_elf_find_function(const struct symbols_elf *elf, uint64_t address)
{
	const struct elf_symbol *symbol = find_sized(&elf->functions, address);
	size_t index;

	if (symbol)
		return symbol;
	/*
	 * Assembly without .size: the nearest symbol before, if it is one of these and in the same
	 * segment.
	 */
	index = upper_bound(&elf->functions, address);
	if (!index)
		return NULL;
	symbol = &elf->functions.symbol[index - 1];
	if (symbol->bytes || find_segment(elf, symbol->address) != find_segment(elf, address))
		return NULL;
	return symbol;
}
