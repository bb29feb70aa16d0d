/* SPDX-License-Identifier: MIT */
/*
 * hookable.h - whether a program can be recorded with LD_PRELOAD, why not, and what of it a
 * recording would miss.
 *
 * Reads files; runs none. Files may be hostile: no content makes it crash, loop or read outside of
 * them. The verdict is about this user on this machine: a set-user-id program is traceable for its
 * owner.
 *
 *   hookable_check     the verdict alone: what `run` asks before it starts
 *   hookable_inspect   with libraries, imports and notes: what `doctor` shows
 *
 * Not thread-safe for one struct.
 */
#ifndef THRUM_ANALYZER_HOOKABLE_H
#define THRUM_ANALYZER_HOOKABLE_H

#include "../trace/trace_diag.h"
#include "symbols_arena.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum hookable_verdict {
#define HOOKABLE(NAME, id) HOOKABLE_##NAME,
#include "hookable_verdicts.def"
#undef HOOKABLE
	HOOKABLE_VERDICT_COUNT
};

enum hookable_note_kind {
	HOOKABLE_NOTE_INFO,    /* good to know */
	HOOKABLE_NOTE_MISSED,  /* synchronisation that goes round the shim, or may */
	HOOKABLE_NOTE_PROBLEM, /* the program will hardly run like this */
};

struct hookable_note {
	enum hookable_note_kind kind;
	const char *module; /* name of the file it is about */
	const char *text;   /* one line, lower case, no full stop */
};

/*
 * The program or a library that it needs, directly or not; in the order in which the loader takes
 * them.
 */
struct hookable_module {
	const char *name;      /* as asked for: "libfoo.so.1" */
	const char *path;      /* NULL = not found */
	const char *needed_by; /* name of the module that asks first; NULL for the program */
	const char **hooked;   /* functions it imports that the shim stands in for */
	size_t hooked_count;
	bool is_libc; /* a part of the C library, which is below the shim */
};

/* How a program was built with ThreadSanitizer. */
enum hookable_tsan {
	HOOKABLE_TSAN_NONE,
	HOOKABLE_TSAN_LIBRARY,	 /* gcc's default: libtsan.so */
	HOOKABLE_TSAN_LINKED_IN, /* clang, gcc -static-libtsan; stripped: perhaps another sanitizer */
};

struct hookable {
	bool ok; /* verdict is TRACEABLE */
	enum hookable_verdict verdict;
	char why[1024];		/* one line: the reason and what to do next; also for TRACEABLE */
	char program[PATH_MAX]; /* the ELF file that runs in the end: behind #! */
	char loader[PATH_MAX];	/* its program interpreter; "" = none */
	/*
	 * Built with AddressSanitizer as a library, and with default options of its own: then the shim's answer to
	 * that question is not heard, and ASan ends the program unless ASAN_OPTIONS has verify_asan_link_order=0.
	 */
	bool minds_preloads;
	enum hookable_tsan tsan;

	/* Of hookable_inspect only. Owned by `arena`. */
	const char **scripts; /* files that lead to the program by #!, the command first */
	size_t script_count;
	struct hookable_module *modules; /* the program first */
	size_t module_count;
	struct hookable_note *notes;
	size_t note_count;
	struct symbols_arena arena;
};

/*
 * `command`: a path, or a name to be looked for in $PATH. Fill `ret_hookable`, also for files that
 * are not there; return 0, or a negative enum thrum_error where the system fails. Nothing to
 * release after hookable_check. `hooked`: NULL-terminated names of the functions that the shim
 * exports; borrowed for the call.
 */
int hookable_check(const char *command, struct hookable *ret_hookable, struct diag *diag);
int hookable_inspect(const char *command, const char *const *hooked, struct hookable *ret_hookable,
		     struct diag *diag);
/*
 * Of a library with locks of its own that are hooked: what of them is out of reach all the same, for info of a
 * trace that names it. NULL = nothing to say.
 */
const char *hookable_library_remark(const char *path);

void hookable_release(struct hookable *hookable);

/* "traceable", "static", …: for machines. */
const char *hookable_verdict_name(enum hookable_verdict verdict);

#endif
