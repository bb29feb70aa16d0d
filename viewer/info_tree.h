/* SPDX-License-Identifier: MIT */
/*
 * info_tree.h - which image of a trace came from which: fork, spawn, exec.
 */
#ifndef THRUM_VIEWER_INFO_TREE_H
#define THRUM_VIEWER_INFO_TREE_H

#include "../trace/trace_reader.h"

#include <stdio.h>

#define INFO_NO_PARENT SIZE_MAX

/*
 * Index of the image that made image `index`: the one of the same pid that called exec, else the
 * parent process's image of that time; INFO_NO_PARENT where it is not in the trace. Always smaller
 * than `index`.
 */
size_t info_parent(const struct trace_reader *reader, size_t index);

/*
 * Did the program that image `index` started by its exec number `exec` record itself? False for
 * static and set-user-id ones. True where the exec failed: no program ran.
 */
bool info_exec_is_recorded(const struct trace_reader *reader, size_t index, size_t exec);

/* One line an image, children below their parents. */
void info_put_tree(const struct trace_reader *reader, FILE *out);

/* How it ended, in words; never NULL. */
const char *info_exit_word(uint32_t exit_kind);

#endif
