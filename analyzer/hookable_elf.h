/* SPDX-License-Identifier: MIT */
/*
 * hookable_elf.h - one ELF file, opened for questions that a dynamic loader would ask.
 *
 * Strings point into the file and live until hookable_elf_close.
 */
#ifndef THRUM_ANALYZER_HOOKABLE_ELF_H
#define THRUM_ANALYZER_HOOKABLE_ELF_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hookable_elf_state {
	HOOKABLE_ELF_OK,
	HOOKABLE_ELF_OTHER,   /* no ELF magic */
	HOOKABLE_ELF_FOREIGN, /* another class, byte order or machine: only those fields are filled */
	HOOKABLE_ELF_DAMAGED,
	HOOKABLE_ELF_IO, /* errno says */
};

struct hookable_elf {
	int fd;
	Elf *elf;
	uint64_t file_bytes;
	uint8_t class_, order;
	uint16_t machine, type;
	uint64_t entry;
	const char *loader; /* PT_INTERP; NULL = none */
	bool has_dynamic, has_unwind_index, has_sections;
	bool is_pie, is_symbolic, is_go;
	const char *soname, *rpath, *runpath; /* NULL = none */
	const char **needed;		      /* owns the array */
	size_t needed_count;
	Elf_Data *symbol_data; /* of .dynsym; NULL = none */
	size_t symbol_strings, symbol_count;
};

enum hookable_elf_state hookable_elf_open(const char *path, struct hookable_elf *ret_elf);
void hookable_elf_close(struct hookable_elf *elf); /* also after a failed open */

/*
 * One symbol of .dynsym; NULL = no name. `ret_defined`: it lies in this file and others can see it.
 */
const char *hookable_elf_get_symbol(const struct hookable_elf *elf, size_t index,
				    bool *ret_defined);

/*
 * Calls `visit` with the name of each function that .symtab defines (exported or not), until it
 * returns false.
 */
void hookable_elf_each_function(const struct hookable_elf *elf,
				bool (*visit)(const char *name, void *cookie), void *cookie);

/* What a look at the machine code finds: a guess from byte patterns, never proof. */
enum hookable_futex {
	HOOKABLE_FUTEX_INLINE = 1, /* loads the number of futex, then the syscall instruction */
	HOOKABLE_FUTEX_SYSCALL =
		2, /* loads it as a first argument: says something where syscall() is imported */
};
unsigned hookable_elf_find_futex(const struct hookable_elf *elf);

/* "x86-64", "aarch64", "machine 243": what the header says. `buffer` holds odd ones. */
const char *hookable_machine_name(unsigned machine, char *buffer, size_t bytes);

/* This build's own. */
uint16_t hookable_own_machine(void);

#endif
