/* SPDX-License-Identifier: MIT */
/*
 * page_picture.h - the timeline as a picture that needs no script: lanes of the threads that findings name, then
 * the busiest, as inline SVG.
 */
#ifndef THRUM_VIEWER_PAGE_PICTURE_H
#define THRUM_VIEWER_PAGE_PICTURE_H

#include "page_private.h"

#include <stdio.h>

/* The whole section, with its heading and legend. */
void page_picture_put(const struct page *page, const struct report *report, FILE *out);

#endif
