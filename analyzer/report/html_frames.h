/* SPDX-License-Identifier: MIT */
/*
 * html_frames.h - a stack as HTML: frames worth reading, a source snippet, the whole stack behind a
 * disclosure.
 */
#ifndef THRUM_ANALYZER_REPORT_HTML_FRAMES_H
#define THRUM_ANALYZER_REPORT_HTML_FRAMES_H

#include "../finding.h"
#include "source.h"

#include <stdio.h>

/*
 * Writes a list of frames; a sentence when there are none. `sources` may be NULL: no snippet then.
 */
void html_frames(FILE *out, const struct frames *frames, struct source_cache *sources);

#endif
