/* SPDX-License-Identifier: MIT */
/*
 * html_page.h - the frame of a page: its policy, its one style sheet, its one script.
 *
 * The policy allows that style sheet and that script by hash and nothing more, so that a string of the recorded program that
 * slipped through an escape could still load and run nothing.
 */
#ifndef THRUM_ANALYZER_REPORT_HTML_PAGE_H
#define THRUM_ANALYZER_REPORT_HTML_PAGE_H

#include "sink.h"

#include <stdio.h>

/* Up to the text of the title, which the caller writes, escaped. `view` NULL = a page without scripts. */
void html_page_begin(FILE *out, const struct report_view *view);
/* From behind the title into the body. */
void html_page_body(FILE *out, const struct report_view *view);
/* The script, and what comes behind it. `report` goes to the view. 0, or what the view says. */
int html_page_end(FILE *out, const struct report_view *view, const struct report *report,
		  struct diag *diag);

#endif
