/* SPDX-License-Identifier: MIT */
/*
 * symbols.h - addresses of one recorded process to function, file, line, inlines; data addresses to
 * names.
 *
 * Built on elfutils (libdwfl, libdw) and libiberty's demangler (C++ and Rust). Works on the machine
 * of the recording or later: a module's file counts only where its build-id is the recorded one.
 * Where files and debug files are looked for: symbols_file.h, docs/symbols.md. Where nothing is
 * known a frame still has module and offset.
 *
 * Not thread-safe. Results are owned by the symbols object and live as long as it.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_H
#define THRUM_ANALYZER_SYMBOLS_H

#include "../trace/trace_reader.h"
#include "finding.h"

struct symbols;
struct symbols_files;

/* Where the time of a stack or address is not known: the module that was there last counts. */
#define SYMBOLS_TIME_UNKNOWN UINT64_MAX

/* Module of frames outside all modules; their offset is the address itself. */
#define SYMBOLS_NO_MODULE "[jit or unknown code]"

/* The same where the program's compiler left a name in /tmp/perf-PID.map: see symbols_perf_map.h. */
#define SYMBOLS_JIT "[jit]"
/* Modules of Python frames: of the interpreter's own library, of installed packages, of the program. */
#define SYMBOLS_PYTHON_LIBRARY "[python library]"
#define SYMBOLS_PYTHON_PACKAGE "[python package]"
#define SYMBOLS_PYTHON "[python]"

/* A function of a script that has no name. */
#define SYMBOLS_ANONYMOUS "(anonymous)"

/* `process` is borrowed until symbols_free. Opens module files lazily. */
int symbols_new(const struct trace_process *process, struct symbols **ret_symbols,
		struct diag *diag);

/*
 * The same with module files that several processes share, so that each is read once. `files`
 * (symbols_file.h) is borrowed until symbols_free.
 */
int symbols_new_shared(const struct trace_process *process, struct symbols_files *files,
		       struct symbols **ret_symbols, struct diag *diag);
void symbols_free(struct symbols *symbols); /* takes NULL */

/*
 * Frames of trace stack `stack`, innermost first, inlined calls expanded, frames of libthrum left
 * out. Every ip is a return address: the line is that of the call (ip - 1), except that of a signal
 * frame. Cached per ip. `time_ns` picks among modules that used the same range one after the other.
 * Never fails: unknown stays unknown.
 *
 * A frame's offset is that of the looked-up byte, inside the call: what addr2line wants. The frame
 * a signal handler returns to is "<signal handler called>", and the one outside it is looked up
 * exactly.
 */
struct frames symbols_resolve_stack(struct symbols *symbols, uint32_t stack, uint64_t time_ns);

/*
 * Name of a data address: "g_lock", "accounts+40", "libfoo.so.1+0x1234"; NULL for heap and stack.
 */
const char *symbols_resolve_data(struct symbols *symbols, uint64_t address, uint64_t time_ns);
/* The same, and what its type says of sharing it, enum symbols_sharing bits. */
const char *symbols_resolve_shared(struct symbols *symbols, uint64_t address, uint64_t time_ns,
				   unsigned *ret_how);

/* Where the variable at a data address is declared; false = not known, or no variable. */
bool symbols_resolve_data_place(struct symbols *symbols, uint64_t address, uint64_t time_ns,
				const char **ret_file, int *ret_line);

/* Function and module of a code address (start routine of a thread), nothing else; NULL = unknown. */
struct frame symbols_resolve_function(struct symbols *symbols, uint64_t address, uint64_t time_ns);

#endif
