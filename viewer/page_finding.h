/* SPDX-License-Identifier: MIT */
/*
 * page_finding.h - what only the trace tells of a finding, on its page: what a callback did that held up its loop, how what was
 * never ended grew in number.
 */
#ifndef THRUM_VIEWER_PAGE_FINDING_H
#define THRUM_VIEWER_PAGE_FINDING_H

#include "page_private.h"

#include <stdio.h>

/* Nothing where the rule has no such part, or the finding is of several processes. */
void page_finding_put(const struct page *page, const struct finding *f, FILE *out);

/* Of loop-stall and blocking-call-in-loop, in page_stall.c. */
void page_stall_put(const struct page *page, const struct finding *f, FILE *out);
/* Of leaks, in page_leak.c. */
void page_leak_put(const struct page *page, const struct finding *f, FILE *out);

#endif
