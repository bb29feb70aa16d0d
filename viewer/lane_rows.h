/* SPDX-License-Identifier: MIT */
/*
 * lane_rows.h - how the spans of a row are packed. Nobody but lanes.c adds spans; the page reads blocks as
 * they are here, in JavaScript.
 *
 * A block is LANE_COLUMNS columns, one behind the other, of one varint a span: seven bits a byte, low ones
 * first, bit 7 = another byte follows. Before them, as varints, the bytes of each column; 0 = its values
 * are all 0 and it is not there. Columns pack better than spans do, and pass through deflate better.
 *
 *	0 start - end of the span before (of the first: - base_ns)    4 stack
 *	1 end - start                                                 5 what
 *	2 state | is_open << 4 | arrow << 5                           6 from_lane
 *	3 object                                                      7 the arrow's point - from_ns
 *
 * The arrow's point is the span's end with LANE_ARROW_AT_END, else its start.
 */
#ifndef THRUM_VIEWER_LANE_ROWS_H
#define THRUM_VIEWER_LANE_ROWS_H

#include "lanes.h"

#define LANE_COLUMNS 8u
#define LANE_FLAG_OPEN 16u
#define LANE_ARROW_SHIFT 5u

/* The row of that kind and level, made when there is none; SIZE_MAX = out of memory. Moves lanes->row. */
size_t lane_rows_get(struct lanes *lanes, uint32_t lane, enum lane_row_kind kind, unsigned level);

/* Adds a span: what overlaps the one before is cut. False = out of memory. */
bool lane_rows_add(struct lanes *lanes, size_t row, const struct lane_span *span);

/* Packs what is left. False = out of memory. */
bool lane_rows_finish(struct lanes *lanes);
void lane_rows_release(struct lanes *lanes);

#endif
