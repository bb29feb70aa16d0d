/* SPDX-License-Identifier: MIT */
/*
 * frame_class.c - the tables of names by which frames are told apart.
 *
 * Names seen with glibc 2.31 to 2.36, libstdc++ 10 to 12, libc++ 14, Rust 1.63 to 1.8x.
 */
#include "frame_class.h"

#include "symbols.h"

#include <string.h>

struct name_row {
	const char *name;
	enum { EXACT, PREFIX } match;
};

/* Where threads and programs start. `main` is not here: it is the program's. */
static const struct name_row runtime_functions[] = {
	{ "_start", EXACT },
	{ "start_thread", EXACT },
	{ "clone", EXACT },
	{ "clone3", EXACT },
	{ "__clone", PREFIX },
	{ "__GI___clone", PREFIX },
	{ "__libc_start_", PREFIX },
	{ "__thrd_start", PREFIX },
	{ "__tsan_thread_start_func", EXACT },
	{ "execute_native_thread_routine", PREFIX },
	{ "std::rt::lang_start", PREFIX },
	{ "std::sys::backtrace::__rust_begin_short_backtrace", PREFIX },
	{ "std::sys_common::backtrace::__rust_begin_short_backtrace", PREFIX },
	{ "std::sys::thread::", PREFIX },
	{ "std::sys::unix::thread::", PREFIX },
	{ "std::sys::pal::unix::thread::", PREFIX },
	{ "std::thread::Builder::spawn_unchecked", PREFIX },
	{ "std::thread::lifecycle::spawn_unchecked", PREFIX },
	{ "std::panicking::try", PREFIX },
	{ "std::panicking::catch_unwind", PREFIX },
	{ "std::panic::catch_unwind", PREFIX },
	{ "__rust_try", EXACT },
	{ "<alloc::boxed::Box<F,A> as core::ops::function::FnOnce", PREFIX },
	{ "<core::panic::unwind_safe::AssertUnwindSafe<F> as core::ops::function::FnOnce", PREFIX },
	{ "core::ops::function::FnOnce::call_once", PREFIX },
	{ "core::ops::function::impls::", PREFIX },
};

/*
 * Standard-library wrappers compiled into the program's own module, and a sanitizer's run time, which may be linked into it. Demangled names of C++
 * templates may start with their return type ("void std::__invoke_impl<...>"), which is skipped
 * before the comparison.
 */
static const struct name_row plumbing_functions[] = {
	{ "std::", PREFIX },
	{ "__gnu_cxx::", PREFIX },
	{ "__gthread_", PREFIX },
	{ "__gthrw_", PREFIX },
	{ "pthread_", PREFIX },
	{ "__pthread_", PREFIX },
	{ "___pthread_", PREFIX },
	{ "__cxa_guard_", PREFIX },
	{ "core::", PREFIX },
	{ "alloc::", PREFIX },
	{ "<alloc::", PREFIX },
	{ "<core::", PREFIX },
	{ "<std::", PREFIX },
	{ "__interceptor_", PREFIX },
	{ "___interceptor_", PREFIX },
	{ "__tsan_", PREFIX },
	{ "__tsan::", PREFIX },
	{ "__asan_", PREFIX },
	{ "__sanitizer", PREFIX },
	{ "operator new", PREFIX },
	{ "operator delete", PREFIX },
	/* What glibc makes of memcpy and its like for this processor. */
	{ "__memcpy_", PREFIX },
	{ "__memmove_", PREFIX },
	{ "__mempcpy_", PREFIX },
	{ "__memset_", PREFIX },
	{ "__memcmp_", PREFIX },
	{ "__memchr_", PREFIX },
	{ "__strcpy_", PREFIX },
	{ "__stpcpy_", PREFIX },
	{ "__strncpy_", PREFIX },
	{ "__strlen_", PREFIX },
	{ "__strcmp_", PREFIX },
	{ "__strchr_", PREFIX },
};

static const char *const library_directories[] = {
	"/lib/",     "/lib32/",	    "/lib64/",	   "/libx32/",
	"/usr/lib/", "/usr/lib32/", "/usr/lib64/", "/usr/libx32/",
};

/* Extension modules of an interpreter, its own and those of packages, wherever it was installed. */
static const char *const extension_directories[] = {
	"/lib-dynload/",
	"/site-packages/",
	"/dist-packages/",
};

/*
 * Modules whose frames at the outer end say nothing even where they have no symbols. "libc.so" also
 * means libc.so.6.
 */
static const char *const runtime_modules[] = {
	"libc.so",  "libc-2.", "libpthread.so", "libpthread-2.",
	"ld-linux", "ld-2.",   "libstdc++.so",	"libc++.so",
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool matches(const struct name_row *rows, size_t count, const char *function)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].match == PREFIX ? has_prefix(function, rows[i].name)
					    : !strcmp(function, rows[i].name))
			return true;
	return false;
}

/*
 * Skips "void " of "void std::__invoke_impl<...>(...)": a blank outside any bracket before the
 * first bracket.
 */
static const char *skip_return_type(const char *function)
{
	const char *blank = strchr(function, ' ');
	size_t plain = strcspn(function, "<({[");

	if (blank && (size_t)(blank - function) < plain && !has_prefix(function, "operator"))
		return blank + 1;
	return function;
}

const char *frame_module_name(const struct frame *frame)
{
	const char *slash = frame->module ? strrchr(frame->module, '/') : NULL;

	return slash ? slash + 1 : frame->module;
}

static bool is_runtime_module(const struct frame *frame)
{
	const char *name = frame_module_name(frame);

	for (size_t i = 0; name && i < ROWS(runtime_modules); i++)
		if (has_prefix(name, runtime_modules[i]))
			return true;
	return false;
}

/*
 * The name must look like a shared object: programs live below /usr/lib too (git's, systemd's,
 * browsers).
 */
static bool is_library_module(const struct frame *frame)
{
	const char *name = frame_module_name(frame);

	if (!name || !strstr(name, ".so"))
		return false;
	if (has_prefix(name, "libpython"))
		return true;
	for (size_t i = 0; i < ROWS(extension_directories); i++)
		if (strstr(frame->module, extension_directories[i]))
			return true;
	for (size_t i = 0; i < ROWS(library_directories); i++)
		if (has_prefix(frame->module, library_directories[i]))
			return true;
	return false;
}

static bool is_signal_frame(const struct frame *frame)
{
	return frame->function && !strcmp(frame->function, FRAME_SIGNAL);
}

static bool is_python_library(const struct frame *frame)
{
	return frame->module && !strcmp(frame->module, SYMBOLS_PYTHON_LIBRARY);
}

enum frame_class frame_classify(const struct frame *frame)
{
	if (is_signal_frame(frame))
		return FRAME_PROGRAM;
	if (is_python_library(frame) ||
	    (frame->module && !strcmp(frame->module, SYMBOLS_PYTHON_PACKAGE)))
		return FRAME_LIBRARY;
	if (frame->file && has_prefix(frame->file, "node:")) /* scripts inside node itself */
		return FRAME_LIBRARY;
	if (frame->function) {
		const char *function = skip_return_type(frame->function);

		if (matches(runtime_functions, ROWS(runtime_functions), function))
			return FRAME_RUNTIME;
		if (matches(plumbing_functions, ROWS(plumbing_functions), function))
			return FRAME_PLUMBING;
	}
	return is_library_module(frame) || is_runtime_module(frame) ? FRAME_LIBRARY : FRAME_PROGRAM;
}

/* At the outer end of a stack: part of the way from clone() to the program's first function. */
bool frame_is_machinery(const struct frame *frame)
{
	switch (frame_classify(frame)) {
	case FRAME_RUNTIME:
	case FRAME_PLUMBING:
		return true;
	case FRAME_LIBRARY:
		return is_runtime_module(frame) || is_python_library(frame);
	case FRAME_PROGRAM:
		return false;
	}
	return false;
}

size_t frames_without_runtime(const struct frames *frames)
{
	size_t count = frames->count;

	while (count && frame_is_machinery(&frames->frame[count - 1]))
		count--;
	return count ? count : frames->count;
}

size_t frames_of_cause(const struct frames *frames)
{
	size_t count = frames_without_runtime(frames);

	for (size_t i = 1; i < count; i++)
		if (is_signal_frame(&frames->frame[i]))
			return i;
	return count;
}
