/* SPDX-License-Identifier: MIT */
/*
 * page_screens.h - tables of a page: locks, threads, tasks, loops, what was recorded. Real tables with all in them
 * that the screens show; the script only puts them in another order.
 */
#ifndef THRUM_VIEWER_PAGE_SCREENS_H
#define THRUM_VIEWER_PAGE_SCREENS_H

#include "page_private.h"

#include <stdbool.h>
#include <stdio.h>

enum { PAGE_ROWS = 500 }; /* of a table; what is left out is counted */

/* Each a whole section; nothing where the trace has none of them. */
void page_locks_put(const struct page *page, FILE *out);
void page_threads_put(const struct page *page, FILE *out);
void page_tasks_put(const struct page *page, FILE *out);
void page_loops_put(const struct page *page, FILE *out);
void page_trace_put(const struct page *page, const struct report *report, FILE *out);
/* In page_compare.c: against what came before; nothing where nothing did. */
void page_compare_put(const struct page *page, const struct report *report, FILE *out);
/* Which rows there are in these: a link to another one would lead nowhere. page_locks_limit() first. */
void page_locks_limit(struct page *page);
bool page_lists_lock(const struct page *page, size_t process, uint32_t object);
bool page_lists_thread(const struct page *page, size_t process, uint32_t thread);
/* In page_graph.c: locks in the order in which they were taken. */
void page_graph_put(const struct page *page, FILE *out);

#endif
