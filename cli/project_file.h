/* SPDX-License-Identifier: MIT */
/*
 * project_file.h - `.thrum`: the options of a project, one a line, found and read.
 *
 *   # what the nightly job accepts
 *   suppressions = ci/thrum.supp
 *   fail-on = warning
 *   strict-suppressions
 *
 * A line is the long name of an option, with or without `--`, then `=` or blanks, then its value to the end of the line.
 * Lines that begin with # are remarks. Options of other verbs are passed over, so that one file serves all; a name that
 * no verb knows is an error. Paths are relative to the file.
 *
 * Without --config the file is looked for in the current folder and those above it, up to the first that holds a .git,
 * .hg, .svn or .jj (the root of the project), else up to the home or root folder. Options name files to write, so a file that belongs
 * to somebody else (not the user, nor root, nor the owner of the current folder) is not used: THRUM_EINVAL says so.
 */
#ifndef THRUM_CLI_PROJECT_FILE_H
#define THRUM_CLI_PROJECT_FILE_H

#include "../trace/trace_diag.h"

#include <stddef.h>

struct project_line {
	unsigned number; /* 1-based */
	char *name;	 /* without dashes */
	char *value;	 /* "" = none */
};

struct project_file;

/*
 * Reads `path`; NULL looks for the file, and there may be none: then *ret_file is NULL. THRUM_EINVAL where a file that is
 * there cannot be read or used. To be freed with project_file_free, which takes NULL.
 */
int project_file_open(const char *path, struct project_file **ret_file, struct diag *diag);
void project_file_free(struct project_file *file);

/* As seen from the current folder, for messages. */
const char *project_file_name(const struct project_file *file);

/* NULL beyond the last. Owned by the file. */
const struct project_line *project_file_line(const struct project_file *file, size_t index);

/*
 * `value` with the path that begins at `path`, a part of it, put below the folder of the file unless it is absolute or
 * the file is in the current folder. Owned by the file.
 */
const char *project_file_path(struct project_file *file, const char *value, const char *path);

#endif
