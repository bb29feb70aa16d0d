/* SPDX-License-Identifier: MIT */
/*
 * frame_view.h - which frames of a stack are worth a line, and which are folded into one.
 *
 * Never folds a frame of the program. Leaves out the runtime at the outer end (start_thread,
 * __libc_start_main); puts standard-library wrappers around the innermost call into one line; folds
 * the middle of long library runs when the stack is longer than FRAME_VIEW_LINES. With `all` every
 * frame has its line.
 */
#ifndef THRUM_ANALYZER_REPORT_FRAME_VIEW_H
#define THRUM_ANALYZER_REPORT_FRAME_VIEW_H

#include "../finding.h"

#define FRAME_VIEW_LINES 10

struct frame_line {
	const struct frame *frame; /* NULL = a fold: `hidden` frames of library `module` */
	size_t number;		   /* of the frame in the whole stack, 0 = innermost */
	size_t hidden;		   /* frames this line stands for besides its own */
	const char *module;	   /* of a fold; NULL = several */
	bool program;		   /* of the program's own code: worth its source line */
};

struct frame_view {
	struct frame_line *line; /* owns */
	size_t count;
	size_t cut; /* runtime frames left out at the outer end */
};

/* Out of memory gives an empty view. */
void frame_view_init(struct frame_view *view, const struct frames *frames, bool all);
void frame_view_release(struct frame_view *view);

#endif
