/* SPDX-License-Identifier: MIT */
/*
 * page_link.h - puts the viewer's screens into the HTML page of a report, where there is one trace to draw.
 */
#ifndef THRUM_CLI_PAGE_LINK_H
#define THRUM_CLI_PAGE_LINK_H

#include "../viewer/page.h"
#include "frame_source.h"
#include "inputs.h"

struct page_link {
	bool is_open;
	struct frame_source frames;
	struct page *page; /* owned; NULL = there is nothing to draw */
};

/*
 * Several traces, or one read from a report, have no timeline: then nothing is linked and 0 comes back. `link` is to be
 * released in all cases.
 */
int page_link_open(struct page_link *link, const struct options *options,
		   const struct inputs *inputs, struct diag *diag);
/* For report->view; NULL = nothing was linked. Borrowed from `link`. */
const struct report_view *page_link_view(const struct page_link *link);
void page_link_release(struct page_link *link);

#endif
