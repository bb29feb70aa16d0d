/* SPDX-License-Identifier: MIT */
/*
 * lane_build.h - the lanes while they are made: what each thread is in now, and the spans that come of it. Of
 * lanes.c alone, which knows what an event means.
 *
 * All functions that return bool: false = out of memory.
 */
#ifndef THRUM_VIEWER_LANE_BUILD_H
#define THRUM_VIEWER_LANE_BUILD_H

#include "lane_rows.h"

/* A lock that a thread holds now, and the row in which that will be drawn. */
struct hold {
	uint32_t object;
	uint8_t level;
	bool wanted;
};

/* What a thread is doing, between the event that began it and the one that ends it. */
struct doing {
	uint64_t futex_ns, call_ns, barrier_ns; /* since when + 1; 0 = not */
	uint32_t object, stack, what;
	struct hold *hold; /* owned */
	uint32_t count, capacity;
};

/* Who last made it possible to go on at an object. */
struct giver {
	uint32_t lane; /* index + 1; 0 = nobody yet */
	uint64_t ns;
};

struct builder {
	struct lanes *lanes;
	struct doing *doing; /* owned; by lane */
	size_t doing_count;
	struct giver *giver; /* owned; by object id of the image */
};

#define LANE_NONE_SUCH UINT32_MAX

/* Index in lanes->thread, made where there is none; LANE_NONE_SUCH = no such thread, or out of memory. */
uint32_t lane_build_lane(struct builder *b, const struct scan *scan, uint32_t thread, uint64_t ns);

bool lane_build_add(struct builder *b, uint32_t lane, enum lane_row_kind kind, unsigned level,
		    const struct lane_span *span);
/* Nothing where `from` is not known, or the lane itself. */
void lane_build_arrow(struct lane_span *s, enum lane_arrow arrow, const struct giver *from,
		      uint32_t lane);
/* NULL = no such object. */
struct giver *lane_build_giver(struct builder *b, const struct scan *scan, uint32_t object);
/* A wait that ends now; the arrow comes from who gave way last, where that was during the wait. */
bool lane_build_wait(struct builder *b, const struct scan *scan, uint32_t lane,
		     struct lane_span *span);

bool lane_build_hold(struct doing *d, uint32_t object);
bool lane_build_release(struct builder *b, const struct scan *scan, uint32_t lane,
			const struct model_held *held, uint64_t end_ns, bool is_open);
/* Somebody asks for it: whoever holds it is in the way from now on. */
void lane_build_want(struct builder *b, const struct scan *scan, uint32_t object);

bool lane_build_callback(struct builder *b, const struct scan *scan, uint32_t lane,
			 const struct model_callback *c, unsigned level, uint64_t end_ns,
			 bool is_open);

#endif
