/* SPDX-License-Identifier: MIT */
/*
 * sanitizer.h - what a program built with ThreadSanitizer needs from its launcher: a log beside the trace, a status that is the
 * program's own, addresses that its shadow memory can live with.
 *
 * The user's own TSAN_OPTIONS come after ours and win. docs/races.md tells what each of ours is for.
 */
#ifndef THRUM_CLI_SANITIZER_H
#define THRUM_CLI_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>

/* ThreadSanitizer's own exitcode, where nobody sets it. */
enum { SANITIZER_STATUS = 66 };

/* TSAN_OPTIONS for a program that is recorded into `dir` (absolute); the caller frees. NULL = out of memory. */
char *sanitizer_options(const char *dir);

/*
 * Does this kernel place memory where ThreadSanitizer's run time has none (vm.mmap_rnd_bits above 28, run times before LLVM 18.1)?
 * `bits_path`: the file that says so; NULL = /proc's.
 */
bool sanitizer_minds_addresses(const char *bits_path);

/*
 * After the run: where TSAN_OPTIONS name another log_path, copies of those logs go into `dir`. False: that is a standard stream, and
 * there are no logs.
 */
bool sanitizer_collect_logs(const char *dir);

/* The line of a log that says why the run time ended the program itself; false = it did not. */
bool sanitizer_find_fatal(const char *dir, char *ret_line, size_t room);

#endif
