/* SPDX-License-Identifier: MIT */
/*
 * hookable_elf.c - headers, dynamic section, symbols and code of one file by libelf, every offset
 * checked.
 */
#define _GNU_SOURCE /* memmem */
#include "hookable_elf.h"

#include "symbols_arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Bytes between the load of the system call's number and the instruction; compilers put the
 * arguments there.
 */
#define FUTEX_WINDOW 64

struct machine_row {
	uint16_t machine;
	const char *name;
};

static const struct machine_row machines[] = {
	{ EM_X86_64, "x86-64" },  { EM_386, "32-bit x86" }, { EM_AARCH64, "aarch64" },
	{ EM_ARM, "32-bit arm" }, { EM_RISCV, "riscv" },    { EM_PPC64, "ppc64" },
	{ EM_S390, "s390" },	  { EM_MIPS, "mips" },
};

const char *hookable_machine_name(unsigned machine, char *buffer, size_t bytes)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].machine == machine)
			return machines[i].name;
	snprintf(buffer, bytes, "machine %u", machine);
	return buffer;
}

uint16_t hookable_own_machine(void)
{
#if defined(__x86_64__)
	return EM_X86_64;
#elif defined(__aarch64__)
	return EM_AARCH64;
#else
	return EM_NONE;
#endif
}

/* ---- opening ---- */

static enum hookable_elf_state open_file(const char *path, struct hookable_elf *elf)
{
	struct stat stat;

	elf->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (elf->fd < 0 || fstat(elf->fd, &stat))
		return HOOKABLE_ELF_IO;
	if (!S_ISREG(stat.st_mode))
		return HOOKABLE_ELF_OTHER;
	elf->file_bytes = (uint64_t)stat.st_size;
	return HOOKABLE_ELF_OK;
}

/* The first 20 bytes have the same layout in all classes. */
static enum hookable_elf_state read_identity(struct hookable_elf *elf)
{
	unsigned char head[20];
	ssize_t bytes = pread(elf->fd, head, sizeof(head), 0);
	bool big;

	if (bytes < 0)
		return HOOKABLE_ELF_IO;
	if (bytes < SELFMAG || memcmp(head, ELFMAG, SELFMAG) != 0)
		return HOOKABLE_ELF_OTHER;
	if (bytes < (ssize_t)sizeof(head))
		return HOOKABLE_ELF_DAMAGED;
	elf->class_ = head[EI_CLASS];
	elf->order = head[EI_DATA];
	big = elf->order == ELFDATA2MSB;
	elf->machine = (uint16_t)(big ? head[18] << 8 | head[19] : head[19] << 8 | head[18]);
	if (elf->class_ != ELFCLASS64 || elf->order != ELFDATA2LSB ||
	    elf->machine != hookable_own_machine())
		return HOOKABLE_ELF_FOREIGN;
	return HOOKABLE_ELF_OK;
}

static const char *segment_string(const struct hookable_elf *elf, const GElf_Phdr *phdr)
{
	size_t bytes;
	const char *file = elf_rawfile(elf->elf, &bytes);

	if (!file || phdr->p_offset >= bytes || phdr->p_filesz > bytes - phdr->p_offset ||
	    !phdr->p_filesz)
		return NULL;
	file += phdr->p_offset;
	return memchr(file, '\0', phdr->p_filesz) ? file : NULL;
}

static enum hookable_elf_state read_segments(struct hookable_elf *elf, GElf_Phdr *ret_dynamic)
{
	size_t count;
	GElf_Phdr phdr;

	if (elf_getphdrnum(elf->elf, &count))
		return HOOKABLE_ELF_DAMAGED;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(elf->elf, (int)i, &phdr))
			return HOOKABLE_ELF_DAMAGED;
		switch (phdr.p_type) {
		case PT_INTERP:
			elf->loader = segment_string(elf, &phdr);
			if (!elf->loader)
				return HOOKABLE_ELF_DAMAGED;
			break;
		case PT_DYNAMIC:
			elf->has_dynamic = true;
			*ret_dynamic = phdr;
			break;
		case PT_GNU_EH_FRAME:
			elf->has_unwind_index = true;
			break;
		case PT_LOAD:
			if (phdr.p_offset > elf->file_bytes ||
			    phdr.p_filesz > elf->file_bytes - phdr.p_offset)
				return HOOKABLE_ELF_DAMAGED;
			break;
		}
	}
	return HOOKABLE_ELF_OK;
}

/* ---- the dynamic section ---- */

/* File offset of a virtual address; UINT64_MAX = none. */
static uint64_t file_offset(const struct hookable_elf *elf, uint64_t address)
{
	size_t count;
	GElf_Phdr phdr;

	if (elf_getphdrnum(elf->elf, &count))
		return UINT64_MAX;
	for (size_t i = 0; i < count && gelf_getphdr(elf->elf, (int)i, &phdr); i++)
		if (phdr.p_type == PT_LOAD && address >= phdr.p_vaddr &&
		    address - phdr.p_vaddr < phdr.p_filesz && phdr.p_offset <= elf->file_bytes)
			return phdr.p_offset + (address - phdr.p_vaddr);
	return UINT64_MAX;
}

struct dynamic {
	const char *strings;
	size_t string_bytes;
};

static const char *dynamic_string(const struct dynamic *dynamic, uint64_t offset)
{
	if (!dynamic->strings || offset >= dynamic->string_bytes ||
	    !memchr(dynamic->strings + offset, '\0', dynamic->string_bytes - offset))
		return NULL;
	return dynamic->strings + offset;
}

static void find_strings(const struct hookable_elf *elf, Elf_Data *data, size_t count,
			 struct dynamic *dynamic)
{
	uint64_t address = 0, bytes = 0, offset;
	size_t file_bytes;
	const char *file = elf_rawfile(elf->elf, &file_bytes);
	GElf_Dyn entry;

	for (size_t i = 0; i < count && gelf_getdyn(data, (int)i, &entry) && entry.d_tag != DT_NULL;
	     i++) {
		if (entry.d_tag == DT_STRTAB)
			address = entry.d_un.d_ptr;
		if (entry.d_tag == DT_STRSZ)
			bytes = entry.d_un.d_val;
	}
	offset = file_offset(elf, address);
	if (!file || offset >= file_bytes)
		return;
	dynamic->strings = file + offset;
	dynamic->string_bytes = bytes < file_bytes - offset ? (size_t)bytes
							    : file_bytes - (size_t)offset;
}

static void read_entry(struct hookable_elf *elf, const GElf_Dyn *entry,
		       const struct dynamic *dynamic, size_t *capacity)
{
	const char *text;

	switch (entry->d_tag) {
	case DT_NEEDED:
		text = dynamic_string(dynamic, entry->d_un.d_val);
		if (!text || !*text)
			return;
		elf->needed = symbols_array_grow(elf->needed, elf->needed_count, capacity,
						 sizeof(*elf->needed));
		elf->needed[elf->needed_count++] = text;
		return;
	case DT_SONAME:
		elf->soname = dynamic_string(dynamic, entry->d_un.d_val);
		return;
	case DT_RPATH:
		elf->rpath = dynamic_string(dynamic, entry->d_un.d_val);
		return;
	case DT_RUNPATH:
		elf->runpath = dynamic_string(dynamic, entry->d_un.d_val);
		return;
	case DT_SYMBOLIC:
		elf->is_symbolic = true;
		return;
	case DT_FLAGS:
		elf->is_symbolic |= (entry->d_un.d_val & DF_SYMBOLIC) != 0;
		return;
	case DT_FLAGS_1:
		elf->is_pie = (entry->d_un.d_val & DF_1_PIE) != 0;
		return;
	}
}

static enum hookable_elf_state read_dynamic(struct hookable_elf *elf, const GElf_Phdr *phdr)
{
	Elf_Data *data =
		elf_getdata_rawchunk(elf->elf, (int64_t)phdr->p_offset, phdr->p_filesz, ELF_T_DYN);
	struct dynamic dynamic = { NULL, 0 };
	size_t count = phdr->p_filesz / sizeof(Elf64_Dyn), capacity = 0;
	GElf_Dyn entry;

	if (!data)
		return HOOKABLE_ELF_DAMAGED;
	find_strings(elf, data, count, &dynamic);
	for (size_t i = 0; i < count && gelf_getdyn(data, (int)i, &entry) && entry.d_tag != DT_NULL;
	     i++)
		read_entry(elf, &entry, &dynamic, &capacity);
	return HOOKABLE_ELF_OK;
}

/* ---- sections ---- */

static const char *section_name(const struct hookable_elf *elf, const GElf_Shdr *shdr)
{
	size_t names;
	const char *name = elf_getshdrstrndx(elf->elf, &names)
				   ? NULL
				   : elf_strptr(elf->elf, names, shdr->sh_name);

	return name ? name : "";
}

static void read_sections(struct hookable_elf *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr shdr;

	while ((section = elf_nextscn(elf->elf, section)) && gelf_getshdr(section, &shdr)) {
		const char *name = section_name(elf, &shdr);

		elf->has_sections = true;
		if (shdr.sh_type == SHT_DYNSYM) {
			elf->symbol_data = elf_getdata(section, NULL);
			elf->symbol_strings = shdr.sh_link;
			elf->symbol_count =
				elf->symbol_data ? elf->symbol_data->d_size / sizeof(Elf64_Sym) : 0;
		}
		elf->is_go |= !strcmp(name, ".go.buildinfo") || !strcmp(name, ".note.go.buildid") ||
			      !strcmp(name, ".gopclntab");
	}
}

enum hookable_elf_state hookable_elf_open(const char *path, struct hookable_elf *elf)
{
	enum hookable_elf_state state;
	GElf_Phdr dynamic = { 0 };
	GElf_Ehdr header;

	memset(elf, 0, sizeof(*elf));
	state = open_file(path, elf);
	if (state == HOOKABLE_ELF_OK)
		state = read_identity(elf);
	if (state != HOOKABLE_ELF_OK)
		return state;
	elf_version(EV_CURRENT);
	elf->elf = elf_begin(elf->fd, ELF_C_READ_MMAP, NULL);
	if (!elf->elf || elf_kind(elf->elf) != ELF_K_ELF || !gelf_getehdr(elf->elf, &header))
		return HOOKABLE_ELF_DAMAGED;
	elf->type = header.e_type;
	elf->entry = header.e_entry;
	state = read_segments(elf, &dynamic);
	if (state == HOOKABLE_ELF_OK && elf->has_dynamic)
		state = read_dynamic(elf, &dynamic);
	if (state == HOOKABLE_ELF_OK)
		read_sections(elf);
	return state;
}

void hookable_elf_close(struct hookable_elf *elf)
{
	if (elf->elf)
		elf_end(elf->elf);
	if (elf->fd >= 0)
		close(elf->fd);
	free(elf->needed);
	memset(elf, 0, sizeof(*elf));
	elf->fd = -1;
}

/* ---- symbols ---- */

const char *hookable_elf_get_symbol(const struct hookable_elf *elf, size_t index, bool *ret_defined)
{
	GElf_Sym symbol;
	const char *name;

	if (!elf->symbol_data || index > INT32_MAX ||
	    !gelf_getsym(elf->symbol_data, (int)index, &symbol))
		return NULL;
	name = elf_strptr(elf->elf, elf->symbol_strings, symbol.st_name);
	*ret_defined = symbol.st_shndx != SHN_UNDEF;
	return name && *name ? name : NULL;
}

void hookable_elf_each_function(const struct hookable_elf *elf,
				bool (*visit)(const char *name, void *cookie), void *cookie)
{
	Elf_Scn *section = NULL;
	GElf_Shdr shdr;
	GElf_Sym symbol;

	while ((section = elf_nextscn(elf->elf, section)) && gelf_getshdr(section, &shdr)) {
		Elf_Data *data = shdr.sh_type == SHT_SYMTAB ? elf_getdata(section, NULL) : NULL;

		for (int i = 1; data && gelf_getsym(data, i, &symbol); i++) {
			const char *name;

			if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC ||
			    symbol.st_shndx == SHN_UNDEF)
				continue;
			name = elf_strptr(elf->elf, shdr.sh_link, symbol.st_name);
			if (name && !visit(name, cookie))
				return;
		}
	}
}

/* ---- code ---- */

static unsigned scan_code(const unsigned char *code, size_t bytes)
{
	static const unsigned char load_eax[] = { 0xb8, 0xca, 0, 0, 0 },
				   load_edi[] = { 0xbf, 0xca, 0, 0, 0 };
	const unsigned char *at = code, *end = code + bytes;
	unsigned found = 0;

	while (!found && (at = memmem(at, (size_t)(end - at), load_eax, sizeof(load_eax)))) {
		size_t left;

		at += sizeof(load_eax);
		left = (size_t)(end - at) < FUTEX_WINDOW ? (size_t)(end - at) : FUTEX_WINDOW;
		if (memmem(at, left, "\x0f\x05", 2))
			found = HOOKABLE_FUTEX_INLINE;
	}
	if (memmem(code, bytes, load_edi, sizeof(load_edi)))
		found |= HOOKABLE_FUTEX_SYSCALL;
	return found;
}

unsigned hookable_elf_find_futex(const struct hookable_elf *elf)
{
	size_t file_bytes, count;
	const unsigned char *file = (const unsigned char *)elf_rawfile(elf->elf, &file_bytes);
	unsigned found = 0;
	GElf_Phdr phdr;

	if (!file || elf->machine != EM_X86_64 || elf_getphdrnum(elf->elf, &count))
		return 0;
	for (size_t i = 0; i < count && gelf_getphdr(elf->elf, (int)i, &phdr); i++)
		if (phdr.p_type == PT_LOAD && phdr.p_flags & PF_X && phdr.p_offset < file_bytes &&
		    phdr.p_filesz <= file_bytes - phdr.p_offset)
			found |= scan_code(file + phdr.p_offset, phdr.p_filesz);
	return found;
}
