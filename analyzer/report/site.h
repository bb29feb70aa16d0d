/* SPDX-License-Identifier: MIT */
/*
 * site.h - the one place in the source that a finding is pinned to, for formats that want a file
 * and a line, and how its path is written.
 *
 * Reviewers' tools show a finding at one line. It is the innermost frame of the program with a
 * source line, of the stack that tells most: where a thread waits or acquires before where it
 * holds, where a leaked task was made before where it was cut off; any other stack or creation site when none has a line of the
 * program; a library's line when nothing else has one.
 */
#ifndef THRUM_ANALYZER_REPORT_SITE_H
#define THRUM_ANALYZER_REPORT_SITE_H

#include "sink.h"

/* Borrowed from the finding; NULL = no frame of it has a source line. */
const struct frame *site_find(const struct finding *f);

/* The innermost frame of the program with a source line; any with one; NULL. */
const struct frame *site_of_frames(const struct frames *frames);

/*
 * `file` relative to `root` where it lies below it, else as it is; "./" and doubled slashes gone.
 * Borrowed from `file`. `ret_relative` may be NULL.
 */
const char *site_path(const char *root, const char *file, bool *ret_relative);

#endif
