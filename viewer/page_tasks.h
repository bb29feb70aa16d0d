/* SPDX-License-Identifier: MIT */
/*
 * page_tasks.h - pieces of the tasks' screen that pages of findings show too.
 */
#ifndef THRUM_VIEWER_PAGE_TASKS_H
#define THRUM_VIEWER_PAGE_TASKS_H

#include "page_private.h"

#include <stdio.h>

/* Up to `most` tasks of a place that were not over at the end, and what they wait for; nothing where all were. */
void page_tasks_put_live(const struct page *page, const struct table_site *site, size_t most,
			 FILE *out);
/* Tasks around the makers of a place's tasks, outermost first, of one of them; nothing where no task made them. */
void page_tasks_put_makers(const struct page *page, const struct table_site *site, FILE *out);
/* Begins a link to a place's row; where the page may not have that, an <a> that leads nowhere. `site`: its row in the tables. */
void page_tasks_link_site(const struct page *page, size_t site, FILE *out);
/* Who made whom, as a tree of places that folds. Nothing where no task made another one. */
void page_tasks_put_tree(const struct page *page, FILE *out);

#endif
