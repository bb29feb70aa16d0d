/* SPDX-License-Identifier: MIT */
/*
 * symbols_index.h - the ELF files below directories that a user named, by build-id: they may have
 * any name and lie at any depth.
 *
 * Directories are read once, when the first question comes. Links to files are followed, links to
 * directories are not; pipes and devices are not opened, nor are file systems that the kernel makes
 * up, like /proc, unless named themselves. INDEX_ENTRIES_MAX entries of all
 * directories are looked at: what lies beyond is not found.
 *
 * Not thread-safe.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_INDEX_H
#define THRUM_ANALYZER_SYMBOLS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_ENTRIES_MAX 500000u

struct symbols_index;

enum indexed_kind {
	INDEXED_CODE,  /* a module: its code is in the file */
	INDEXED_DEBUG, /* the file has DWARF */
	INDEXED_NAMES, /* the file has a symbol table */
	INDEXED_ANY
};

struct symbols_index *symbols_index_new(void);
void symbols_index_free(struct symbols_index *index); /* takes NULL */

/* Before the first question. What is no directory is left out. */
void symbols_index_add(struct symbols_index *index, const char *directory);

/*
 * The path of file number `nth` (0 = first) that has this build-id and is of the kind; NULL = there
 * is none. The order is that of the paths, so that two runs take the same file. Borrowed.
 */
const char *symbols_index_find(struct symbols_index *index, const uint8_t *build_id,
			       size_t build_id_bytes, enum indexed_kind kind, size_t nth);

#endif
