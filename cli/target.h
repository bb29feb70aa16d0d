/* SPDX-License-Identifier: MIT */
/*
 * target.h - what a recording needs before it starts: a program the shim can live in, the shim, the environment for both.
 */
#ifndef THRUM_CLI_TARGET_H
#define THRUM_CLI_TARGET_H

#include "../analyzer/hookable.h"
#include "cli.h"
#include "options.h"

/* The exit status that a verdict stands for: 0, 69, 126 or 127. */
enum status target_status(enum hookable_verdict verdict);

/*
 * libthrum.so: $THRUM_LIB, else ../lib/libthrum.so or ../lib/thrum/libthrum.so as seen from the thrum program. The caller
 * frees `ret_path`, which is absolute and fit for LD_PRELOAD. THRUM_EINVAL where there is none.
 */
int shim_find(char **ret_path, struct diag *diag);

/* LD_PRELOAD with the shim before what the user preloads, and THRUM_OPTIONS; the caller frees both. */
char *shim_preload(const char *shim);
/* LD_LIBRARY_PATH with the folder first that has our library under the name of ThreadSanitizer's; the caller frees it. */
int tsan_library_path(const char *shim, char **ret_value, struct diag *diag);
char *shim_options(const char *dir, const struct options *options);

#endif
