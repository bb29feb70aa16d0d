/* SPDX-License-Identifier: MIT */
/*
 * demangle.h - linker names to the names that programmers wrote: C++ (Itanium ABI) and Rust (legacy
 * and v0).
 *
 * Names are made for reading and comparing: no return type, and without what the compiler appended
 * to parts and copies of a function (".cold", ".part.0", ".isra.0", ".llvm.123"), so that rebuilds
 * give the same name. Thread-safe.
 */
#ifndef THRUM_ANALYZER_DEMANGLE_H
#define THRUM_ANALYZER_DEMANGLE_H

/*
 * The readable name of `symbol`, malloc'ed, caller frees. Never NULL (a failed allocation ends the
 * program): a name that is not mangled comes back without the compiler's suffixes. `ret_language`
 * (may be NULL) gets "c++", "rust", or NULL where the name does not tell.
 */
char *demangle_function(const char *symbol, const char **ret_language);

/*
 * The same for variables, whose suffix stays where it is needed to tell them apart ("lock.0" is not
 * "lock.1").
 */
char *demangle_variable(const char *symbol);

#endif
