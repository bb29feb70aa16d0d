/* SPDX-License-Identifier: MIT */
/*
 * pack.h - a trace as one file: what thrum pack writes and the other verbs read.
 *
 * A tar archive, compressed with zstd, schema thrum-pack/1. Its entries, in this order, each kind sorted by name:
 *
 *   thrum-pack.json            schema, tool, and each module of the trace: is it here, with debug symbols?
 *   trace/NAME                 the files of the trace directory
 *   symbols/.build-id/xx/yyy   modules by build-id; with .debug behind: their separate debug files
 *   symbols/PATH               modules without a build-id, where they were
 *
 * The same trace and files make the same bytes. Owner, group and times of the trace's files are left out; a module without
 * a build-id keeps its time, which tells that it is the recorded one.
 *
 * Packs come from other machines: they are hostile. Only regular files with the names above are taken, each once, into a
 * private directory; nothing is ever written elsewhere. What would not fit on the disk, or is thousands of times larger
 * than the pack, is refused.
 */
#ifndef THRUM_CLI_PACK_H
#define THRUM_CLI_PACK_H

#include "../trace/trace_diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What came of packing. */
struct pack_summary {
	unsigned modules; /* of the trace, packed */
	unsigned debug;	  /* of those, with separate debug files */
	unsigned missing; /* of the trace, not found */
	uint64_t bytes;	  /* of the file */
	bool was_read;	  /* the trace is one; what failed after that is the writing */
};

/*
 * Writes the trace directory `dir` to `file`; `missing`, if not NULL, is told the path of each module that was not found.
 * Nothing is left at `file` on failure, and an older one stays until the new one is whole. `ret_summary` is filled in any
 * case.
 */
int pack_write(const char *dir, const char *file, void (*missing)(const char *path),
	       struct pack_summary *ret_summary, struct diag *diag);

/* Unpacks `file` below the directory `into`, which is empty and private. THRUM_EFORMAT where it is no pack or hostile. */
int pack_extract(const char *file, const char *into, struct diag *diag);

/* A copy of the first `bytes` bytes of a map that may be in use: see pack_live.c. The caller frees it; NULL = no memory. */
void *pack_copy_map(int fd, uint64_t bytes);

#endif
