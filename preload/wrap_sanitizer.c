/* SPDX-License-Identifier: MIT */
/*
 * wrap_sanitizer.c - a program built with AddressSanitizer whose runtime is a library ends at once, with "ASan runtime
 * does not come first in initial library list", when another library was preloaded. That check means libraries that
 * take memory before ASan is ready; this one takes none. So it answers ASan's own question for default options, which
 * the runtime asks before the check. Options of the environment and of the program itself win over these.
 */
#include "shim.h"

#include <string.h>

enum { OPTIONS_BYTES = 4096 };

/* BOOT: called once by the runtime, before any constructor may have run; no ASan in the host: never called. */
EXPORT const char *__asan_default_options(void)
{
	static char options[OPTIONS_BYTES] = "verify_asan_link_order=0";
	size_t length = sizeof("verify_asan_link_order=0") - 1;

	shim_resolve_once();
	/* What a library of the program, or else the runtime itself, has to say comes after, so it wins. */
	const char *theirs = real___asan_default_options ? real___asan_default_options() : NULL;

	if (theirs && *theirs && length + 1 + strlen(theirs) < sizeof(options)) {
		options[length++] = ':';
		memcpy(options + length, theirs, strlen(theirs) + 1);
	}
	return options;
}
