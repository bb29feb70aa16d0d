/* SPDX-License-Identifier: MIT */
/*
 * page.h - what the viewer adds to the page of findings: timeline, locks, threads, tasks, loops, lock graph,
 * coverage, and the script that makes screens of them.
 *
 * Without scripts the page is one long document with pictures and tables; everything the script shows comes from
 * that document and from one payload, of which FORMAT: page_data.h.
 *
 * Everything from the trace is escaped. The same trace gives the same bytes.
 */
#ifndef THRUM_VIEWER_PAGE_H
#define THRUM_VIEWER_PAGE_H

#include "../analyzer/report/sink.h"
#include "scan.h"

/* What a page is made of; all borrowed until page_free. */
struct page_source {
	struct trace_reader *reader;
	/* Frames of a stack, innermost first; false = not known. Valid until the next call. */
	bool (*frames)(void *context, size_t process, uint32_t stack, struct frames *ret_frames);
	/* Name of a variable at an address; NULL = not known. */
	const char *(*variable)(void *context, size_t process, uint64_t address, uint64_t time_ns);
	void *context;
	struct scan_options scan;
	size_t most_bytes; /* of a page that stands alone; 0 = PAGE_MOST_BYTES */
};

/*
 * What browsers open without trouble. A larger page has the single spans that fit, and says what is left out; where even the rest is too
 * much, writing it fails with THRUM_EINVAL.
 */
#define PAGE_MOST_BYTES (256u << 20)

struct page;

/* THRUM_ENOMEM, or an error of the reader. */
int page_new(const struct page_source *source, struct page **ret_page, struct diag *diag);
void page_free(struct page *page); /* takes NULL */

/* Beside the locks of the run before: borrowed until page_free. NULL = they are not known. */
void page_compare(struct page *page, const struct page *before);

/* For report->view of the report on this trace: then its page has the screens. Borrowed from the page. */
const struct report_view *page_get_view(const struct page *page);
/* The same of a page that asks its server for the spans. */
const struct report_view *page_serve(struct page *page);

#endif
