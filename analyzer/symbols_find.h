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

/* A descriptor of the regular file at `path`, if it is the one; else -1. The caller closes it. */
int symbols_find_open(const char *path, const struct symbols_identity *identity);

/* dwfl callback: as dwfl_standard_find_debuginfo, without its last resort, the network. */
int symbols_find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			   const char *file, const char *link, GElf_Word checksum, char **ret_path);

#endif
