/* SPDX-License-Identifier: MIT */
/*
 * symbols_sources.h - which files of this machine hold what the analyzer knows about a module: the ELF
 * file, its separate debug file, and the supplementary file that dwz makes for several of them.
 *
 * The same rules as in symbols_file.h: build-id, or age where there is none; no network.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_SOURCES_H
#define THRUM_ANALYZER_SYMBOLS_SOURCES_H

#include <stddef.h>
#include <stdint.h>

enum symbols_source_kind { SOURCE_MODULE, SOURCE_DEBUG, SOURCE_SUPPLEMENT, SOURCE_KINDS };

struct symbols_source {
	char *path; /* owned; NULL = there is none */
	uint8_t build_id[64];
	size_t build_id_bytes; /* 0 = it has none */
};

struct symbols_sources {
	struct symbols_source source[SOURCE_KINDS];
};

/*
 * Fills `ret_sources` for the module recorded as `path` and `build_id` (0 bytes = none), loaded at
 * `loaded_real_ns` of the wall clock. What is not found is NULL. Release in any case.
 */
void symbols_sources_find(const char *path, const uint8_t *build_id, size_t build_id_bytes,
			  uint64_t loaded_real_ns, struct symbols_sources *ret_sources);
void symbols_sources_release(struct symbols_sources *sources);

#endif
