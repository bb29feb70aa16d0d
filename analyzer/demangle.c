/* SPDX-License-Identifier: MIT */
/*
 * demangle.c - libiberty's demangler behind two functions, and the suffixes that compilers append.
 */
#include "demangle.h"

#include <libiberty/demangle.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Longer names come from hostile files; libiberty's time and output grow faster than its input. */
#define NAME_MAX_BYTES 16384u

#define OPTIONS (DMGL_PARAMS | DMGL_ANSI | DMGL_RET_DROP)

/*
 * What GCC 4 to 14 and Clang append to the name of a function that they split, cloned or renamed.
 */
static const char *const clone_suffixes[] = {
	".cold",   ".part.",	".isra.", ".constprop.",   ".lto_priv.", ".localalias",
	".llvm.",  ".__uniq.",	".warm",  ".hot",	   ".clone.",	 ".simdclone.",
	".resume", ".destroy.", ".actor", ".specialized.",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static char *copy(const char *text)
{
	char *result = strdup(text);

	if (!result)
		abort();
	return result;
}

/* Cuts at the first suffix; a name that is nothing but one stays. */
static void cut_clone_suffixes(char *name)
{
	char *first = NULL;

	for (size_t i = 0; i < COUNT(clone_suffixes); i++) {
		char *found = name[0] ? strstr(name + 1, clone_suffixes[i]) : NULL;

		if (found && (!first || found < first))
			first = found;
	}
	if (first)
		*first = '\0';
}

/* "f(int) [clone .part.0] [clone .cold]" */
static void cut_clone_notes(char *name)
{
	char *note = strstr(name, " [clone ");

	if (note && note != name)
		*note = '\0';
}

/*
 * "_ZN4core3fmt5Write9write_str17h0123456789abcdefE": the hash of 16 digits is Rust's, C++ has
 * none.
 */
static bool is_rust_legacy(const char *symbol)
{
	const char *hash = strstr(symbol, "17h");

	for (; hash; hash = strstr(hash + 1, "17h")) {
		size_t digits = 0;

		while (digits < 16 && isxdigit((unsigned char)hash[3 + digits]))
			digits++;
		if (digits == 16 && hash[19] == 'E')
			return true;
	}
	return false;
}

static const char *language_of(const char *symbol)
{
	if (!strncmp(symbol, "_R", 2))
		return "rust";
	if (!strncmp(symbol, "_Z", 2))
		return is_rust_legacy(symbol) ? "rust" : "c++";
	return NULL;
}

static char *demangle(const char *symbol, const char **ret_language)
{
	const char *language = language_of(symbol);
	char *name = NULL;

	if (language && strlen(symbol) <= NAME_MAX_BYTES) {
		int options = OPTIONS | (strcmp(language, "rust") ? DMGL_GNU_V3 : DMGL_RUST);

		name = cplus_demangle(symbol, options);
		if (!name) { /* Rust's "...E.llvm.123" is refused as a whole */
			char *shorter = copy(symbol);

			cut_clone_suffixes(shorter);
			name = cplus_demangle(shorter, options);
			free(shorter);
		}
	}
	if (name && !*name) {
		free(name);
		name = NULL;
	}
	*ret_language = name ? language : NULL;
	return name;
}

char *demangle_function(const char *symbol, const char **ret_language)
{
	const char *language;
	char *name = demangle(symbol, &language);

	if (name) {
		cut_clone_notes(name);
	} else {
		name = copy(symbol);
		cut_clone_suffixes(name);
	}
	if (ret_language)
		*ret_language = language;
	return name;
}

char *demangle_variable(const char *symbol)
{
	const char *language;
	char *name = demangle(symbol, &language);

	return name ? name : copy(symbol);
}
