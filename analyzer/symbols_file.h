/* SPDX-License-Identifier: MIT */
/*
 * symbols_file.h - ELF files of modules on this machine: found, checked against what was recorded,
 * shared by processes.
 *
 * Invariants
 *  - A file counts only where its build-id is the recorded one. Where none was recorded it must
 *    have none and must not have been written after the module was loaded.
 *  - Debug files come from the build-id path below /usr/lib/debug, from .gnu_debuglink beside the
 *    file, from the directories that were added, and last from the servers of $DEBUGINFOD_URLS
 *    where the user set it; they must have the same build-id (without one: the recorded checksum).
 *    The network is asked for nothing but modules that somebody asks about here.
 *  - Addresses are ELF virtual addresses.
 *
 * Not thread-safe. All results live as long as the symbols_files.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_FILE_H
#define THRUM_ANALYZER_SYMBOLS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols_files;
struct symbols_file;

/* One frame without what the module adds. */
struct symbols_call {
	const char *function, *file, *language; /* NULL = unknown */
	int line;				/* 0 = unknown */
	bool inlined;
};

struct symbols_calls {
	struct symbols_call *call; /* innermost first */
	size_t count;		   /* 0 = nothing known */
};

struct symbols_files *symbols_files_new(void);
void symbols_files_free(struct symbols_files *files); /* takes NULL */

/*
 * Looks for modules and debug files in `directory` too: by build-id whatever their names are and
 * however deep they lie; without a build-id as DIRECTORY/PATH and DIRECTORY/BASENAME. Before the
 * first symbols_files_find.
 */
void symbols_files_add_directory(struct symbols_files *files, const char *directory);

struct trace_process;
/* All modules of a process of the run: where one of them cannot be found, another process may know it by a path. Borrowed. */
void symbols_files_add_process(struct symbols_files *files, const struct trace_process *process);

/*
 * The file of a module that was recorded with `path` and `build_id` (`build_id_bytes` = 0: it has
 * none) and loaded at `loaded_real_ns` of the wall clock. NULL where there is none that fits.
 * Opened once.
 */
struct symbols_file *symbols_files_find(struct symbols_files *files, const char *path,
					const uint8_t *build_id, size_t build_id_bytes,
					uint64_t loaded_real_ns);

/*
 * Says, a line each without newline, which of the modules asked for are not here as they were
 * recorded, and what can be done. `text` is valid during the call.
 */
typedef void symbols_say(void *cookie, const char *text);
void symbols_files_explain(const struct symbols_files *files, symbols_say *say, void *cookie);

/* What lies at the code address, inlined calls expanded. Cached per address. */
const struct symbols_calls *symbols_file_resolve(struct symbols_file *file, uint64_t address);

/* The address belongs to the trampoline from which a signal handler returns. */
bool symbols_file_is_signal_frame(struct symbols_file *file, uint64_t address);

/* "g_lock", "accounts[3].lock", "accounts+40"; NULL = no symbol. `ret_how`: enum symbols_sharing bits. */
const char *symbols_file_name_data(struct symbols_file *file, uint64_t address, unsigned *ret_how);
/* Where the variable is declared that lies there; false = not known. */
bool symbols_file_place_data(struct symbols_file *file, uint64_t address, const char **ret_file,
			     int *ret_line);

/* One of the file's segments covers the address: false for holes that others may have filled. */
bool symbols_file_covers(struct symbols_file *file, uint64_t address);

#endif
