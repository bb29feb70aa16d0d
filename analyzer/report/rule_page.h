/* SPDX-License-Identifier: MIT */
/*
 * rule_page.h - the page of docs/rules/ for each rule, compiled in.
 *
 * rule_pages.c is made at build time by make_rule_pages.py, one page for each row of
 * spec/rules.def; a row without a page fails the build.
 */
#ifndef THRUM_ANALYZER_REPORT_RULE_PAGE_H
#define THRUM_ANALYZER_REPORT_RULE_PAGE_H

#include "sink.h"

/* Markdown; never NULL. Static. */
const char *rule_page(enum rule rule);

/* Where the page can be read: below `report->rules_uri`. Fills and returns the buffer. */
const char *rule_page_uri(const struct report *report, enum rule rule, char *buffer, size_t bytes);

#endif
