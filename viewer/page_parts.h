/* SPDX-License-Identifier: MIT */
/*
 * page_parts.h - the spans of a page that stands alone, as pieces that the script unpacks when it looks at them.
 *
 * Invariants
 *  - A small trace has no pieces: all of it is in the page's first data (page_data.h).
 *  - Of a large one the first data has the blocks about the places that findings name; the rest, and the pictures from afar, are pieces.
 *  - The pieces have no more than PAGE_PARTS_SHARE of page_source.most_bytes. What does not fit is left out, and counted: those blocks first in
 *    which most spans share least time. The picture from afar of a row is never left out.
 *  - The same trace, report and limit give the same bytes.
 */
#ifndef THRUM_VIEWER_PAGE_PARTS_H
#define THRUM_VIEWER_PAGE_PARTS_H

#include "page_private.h"

#include <stdio.h>

#define PAGE_PARTS_SHARE(bytes) ((bytes) / 4 * 3)
#define PAGE_HEAD_BYTES (1u << 20) /* of blocks in the first data, not yet packed */

/* Where a block is, beside places in the first data. As in viewer/front/20-data.js. */
enum { PAGE_IN_PART = -1, PAGE_LEFT_OUT = -2 };

/* Chooses and packs; fills page->parts. THRUM_ENOMEM. */
int page_parts_make(struct page *page, const struct report *report);
void page_parts_free(struct page_parts *parts); /* takes NULL */

/* In bytes from the end of the JSON of the first data, or one of the above. `parts` NULL = of a server: PAGE_IN_PART. */
int64_t page_parts_block_at(const struct page_parts *parts, size_t row, uint32_t block);
int64_t page_parts_far_at(const struct page_parts *parts,
			  size_t row); /* of a row that has one; -2 = in a piece */

/* The blocks and pictures of the first data, in the order of those places: `add` gets each. */
void page_parts_head(const struct page *page,
		     void (*add)(void *cookie, const void *bytes, size_t count), void *cookie);
/* The pieces as script elements. */
void page_parts_put(const struct page_parts *parts, FILE *out);

uint64_t page_parts_bytes(const struct page_parts *parts);
uint64_t page_parts_left_out(const struct page_parts *parts); /* spans */

#endif
