/* SPDX-License-Identifier: MIT */
/*
 * wrap_stdio.c - the lock of a stdio stream. flockfile is hooked at the outer entry: the lock's layout is libc's own
 * affair, and the calls inside libc (printf, fwrite) are bound there.
 */
#include "wrap_library.h"

#include <stdio.h>

enum {
	TRACE_OBJECT_STDIO_LOCK = KIND_OF_LIBRARY(MUTEX, STDIO) | KIND_TYPE_1,
};

/* Unlike a library's try, 0 is success. */
#undef LIBRARY_RESULT
#define LIBRARY_RESULT(rc, mode) ((rc) ? EBUSY : 0)

#include "../spec/primitives/stdio.def"
