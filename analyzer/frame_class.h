/* SPDX-License-Identifier: MIT */
/*
 * frame_class.h - whose frame is it: the program's, a library's, or the machinery that every thread
 * starts from.
 *
 * Decided from names alone, so that a trace reads the same on any machine. Used by fingerprints
 * (what to leave out) and by sinks (what to fold). Frames of the program are never called anything
 * else.
 */
#ifndef THRUM_ANALYZER_FRAME_CLASS_H
#define THRUM_ANALYZER_FRAME_CLASS_H

#include "finding.h"

enum frame_class {
	/* of a module outside the system's library directories, and unknown modules */
	FRAME_PROGRAM,
	/* of a shared object under /lib, /usr/lib ... */
	FRAME_LIBRARY,
	/* standard-library wrappers of a lock or a call, inlined or not: std::mutex::lock */
	FRAME_PLUMBING,
	/* start of a thread or program: start_thread, clone, __libc_start_main, lang_start */
	FRAME_RUNTIME,
};

enum frame_class frame_classify(const struct frame *frame);

/*
 * How many frames of `frames` are left when the runtime's at the outer end are cut, with the
 * plumbing between the runtime and the program. Never 0 unless `frames` is empty: what is runtime
 * all over stays as it is.
 */
size_t frames_without_runtime(const struct frames *frames);

/*
 * Of these, how many say what was done: where a signal handler runs, the frames outside it are where the signal
 * happened to arrive, which differs from run to run.
 */
size_t frames_of_cause(const struct frames *frames);

/* What the symbols call the frame from which a signal handler returns. A FRAME_PROGRAM, so that nobody folds it. */
#define FRAME_SIGNAL "<signal handler called>"

/* Not the code that called: plumbing, runtime, or a function of the C or C++ library itself. */
bool frame_is_machinery(const struct frame *frame);

/* Last component of a module's path; NULL gives NULL. Borrowed from the frame. */
const char *frame_module_name(const struct frame *frame);

#endif
