/* SPDX-License-Identifier: MIT */
/*
 * page_private.h - what the files of a page share.
 */
#ifndef THRUM_VIEWER_PAGE_PRIVATE_H
#define THRUM_VIEWER_PAGE_PRIVATE_H

#include "lanes.h"
#include "lock_labels.h"
#include "page.h"
#include "tables.h"

struct page_parts;

struct page {
	struct page_source source;
	struct lanes *lanes;		    /* owned */
	struct tables *tables;		    /* owned */
	struct report_view view;	    /* what the report gets */
	struct lock_labels labels;	    /* of the report that is written */
	struct page_parts *parts;	    /* owned; NULL = not yet, or its server has the spans */
	const struct page *before;	    /* borrowed; NULL = none */
	const struct table_lock *last_lock; /* that has a row in the page; NULL = all have */
};

/* Locks without a name are called as this report's findings call them, from here on. Without memory they keep their addresses. */
void page_label_locks(struct page *page, const struct report *report);

/* "mutex" and "g_accounts", "#1" or "0x7f12": kind and name of an object. Buffers of the caller. False = it has no name of its own. */
bool page_object_words(const struct page *page, size_t process, uint32_t object, char *kind,
		       size_t kind_bytes, char *name, size_t name_bytes);

/* Innermost frame of the program, or the innermost one that has a name; NULL = nothing is known. */
const struct frame *page_frame(const struct frames *frames);

/* "12.3 ms", with what is right after it in one unit. */
const char *page_time(uint64_t ns, char *buffer, size_t bytes);

/* ---- the script and its style, made at build time of viewer/front ---- */

extern const char page_script[], page_style[];

#endif
