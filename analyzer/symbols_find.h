/* SPDX-License-Identifier: MIT */
/*
 * symbols_find.h - opening files that are what they should be: modules by build-id or age, debug
 * files by build-id or checksum. Only regular files are opened; nothing blocks.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_FIND_H
#define THRUM_ANALYZER_SYMBOLS_FIND_H

#include <elfutils/libdwfl.h>
#include <stddef.h>
#include <stdint.h>

struct symbols_identity {
	const uint8_t *build_id;
	size_t build_id_bytes; /* 0 = none */
	uint64_t before_ns; /* without a build-id: last written at or before this wall clock time */
};

/* What was wrong with a file, from nothing to most telling. */
enum symbols_absence {
	ABSENCE_NONE,
	ABSENCE_MISSING, /* there is no such file, or it cannot be read */
	ABSENCE_NEWER, /* neither has a build-id, and it was written after the module was loaded */
	ABSENCE_REPLACED, /* it is another build */
};

/*
 * A descriptor of the regular file at `path`, if it is the one; else -1 and why. The caller closes
 * it.
 */
int symbols_find_open(const char *path, const struct symbols_identity *identity,
		      enum symbols_absence *ret_absence);

/*
 * The supplementary file (dwz) of `dwarf`, which was read from `beside`: by its name, else by its
 * build-id where debug files lie, else in `search` (may be NULL). A descriptor and its path
 * (malloc'ed), -1 = not found, -2 = `dwarf` needs none.
 */
struct symbols_search;
int symbols_find_supplement(Dwarf *dwarf, const char *beside, struct symbols_search *search,
			    char **ret_path);

/*
 * dwfl callback: as dwfl_standard_find_debuginfo, but what it finds is checked, and the network is
 * asked as `*userdata` says, a struct symbols_search (NULL = never). Supplementary files are not its
 * business: see above.
 */
int symbols_find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			   const char *file, const char *link, GElf_Word checksum, char **ret_path);

#endif
