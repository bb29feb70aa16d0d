/* SPDX-License-Identifier: MIT */
/*
 * page_link.h - puts the viewer's screens into the HTML page of a report, where there is one trace to draw.
 *
 * The pass that draws the trace has a thread of its own. Where somebody waits for the picture it has a reader of its own, too, and goes on
 * beside the analysis, which takes as long; else it comes after that and takes its reader: two of them take twice the memory.
 */
#ifndef THRUM_CLI_PAGE_LINK_H
#define THRUM_CLI_PAGE_LINK_H

#include "../viewer/page.h"
#include "frame_source.h"
#include "inputs.h"

#include <pthread.h>
#include <stdatomic.h>

struct page_link {
	bool is_open, is_running;
	struct frame_source frames;  /* of the analysed reader */
	struct trace_reader *reader; /* owned: of the pass; NULL = the analysis's */
	struct page_source source;
	struct page *page; /* owned; NULL = there is nothing to draw */
	pthread_t thread;
	const struct inputs_follower *follower; /* borrowed; NULL = nobody */
	atomic_bool is_stopped;
	atomic_ullong done, total; /* events */
	int error;		   /* of the pass … */
	struct diag diag;	   /* … in words */
};

/*
 * Begins to draw: beside the analysis with a `follower`, else it is to be over. Several traces, or one read from a report, have no timeline: then nothing is linked and 0 comes back.
 * `inputs` must be open, and is borrowed. `follower`, or NULL, is asked on the pass's thread. `link`, which must not move, is to be released in all cases.
 */
int page_link_start(struct page_link *link, const struct options *options,
		    const struct inputs *inputs, const struct inputs_follower *follower,
		    struct diag *diag);
/* Waits until it is drawn, with a bar where that takes long. */
int page_link_finish(struct page_link *link, const struct options *options, struct diag *diag);
/* For report->view; NULL = nothing was linked. Borrowed from `link`. */
const struct report_view *page_link_view(const struct page_link *link);
void page_link_release(struct page_link *link);

#endif
