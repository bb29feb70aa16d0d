/* SPDX-License-Identifier: MIT */
/*
 * symbols_debuginfod.h - modules and debug files from the servers of $DEBUGINFOD_URLS.
 *
 * Invariants
 *  - Nothing is asked, and no library is loaded, unless $DEBUGINFOD_URLS names a server.
 *  - The client is elfutils' libdebuginfod.so.1, loaded when it is first needed: neither building
 *    nor running thrum needs it. It keeps what it got in its own cache and knows its own variables
 *    ($DEBUGINFOD_TIMEOUT, $DEBUGINFOD_CACHE_PATH …).
 *  - All questions of one client together take at most $DEBUGINFOD_MAXTIME seconds, else
 *    DEBUGINFOD_SECONDS. After that none is asked any more.
 *  - Only build-ids leave this machine.
 *
 * Not thread-safe.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_DEBUGINFOD_H
#define THRUM_ANALYZER_SYMBOLS_DEBUGINFOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEBUGINFOD_SECONDS 60u

struct symbols_debuginfod;

enum debuginfod_kind { DEBUGINFOD_MODULE, DEBUGINFOD_DEBUG, DEBUGINFOD_KINDS };

/* Cheap: nothing happens before the first question. */
struct symbols_debuginfod *symbols_debuginfod_new(void);
void symbols_debuginfod_free(struct symbols_debuginfod *client); /* takes NULL */

/*
 * A descriptor of the file with that build-id, and its path in the cache (malloc'ed); -1 = not to be
 * had. The caller checks that the file is what it should be, and owns both.
 */
int symbols_debuginfod_find(struct symbols_debuginfod *client, enum debuginfod_kind kind,
			    const uint8_t *build_id, size_t build_id_bytes, char **ret_path);

/* Why servers that are configured were not asked or asked no further; NULL = nothing to say. */
const char *symbols_debuginfod_trouble(const struct symbols_debuginfod *client);

#endif
