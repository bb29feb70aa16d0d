/* SPDX-License-Identifier: MIT */
/*
 * page_outline.h - the page while a trace is read: its outline as a timeline of shades, and how far the reading is. The same script, which asks
 * `progress` and goes to the page above when that is ready.
 */
#ifndef THRUM_VIEWER_PAGE_OUTLINE_H
#define THRUM_VIEWER_PAGE_OUTLINE_H

#include "lanes.h"
#include "outline.h"

#include <stdio.h>

/* Shades in the numbers of enum lane_state: the first one's is this + 1. */
#define OUTLINE_STATE 10u

/* Each the whole document. 0 or THRUM_ENOMEM. */
int page_outline_put(const struct outline *outline, const char *version, FILE *out);
/* The JSON of page_data.h, with a row of kind 3 for each lane: only a picture from afar, of shades. */
int page_outline_model_put(const struct outline *outline, FILE *out);

/* The picture of a lane: `ret_state` has LANE_FAR_BUCKETS. */
void page_outline_far(const struct outline *outline, size_t lane, uint8_t *ret_state);

#endif
