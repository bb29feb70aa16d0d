/* SPDX-License-Identifier: MIT */
/*
 * table_making.h - what the two halves of tables.c hand to each other: the pass over the events, and the walk over the lanes.
 */
#ifndef THRUM_VIEWER_TABLE_MAKING_H
#define THRUM_VIEWER_TABLE_MAKING_H

#include "tables.h"

/* Of a lock, what spans do not say. */
struct table_lock_facts {
	uint32_t waiters, most_waiters; /* now; at once */
	uint32_t failed;
	uint32_t owner, waiting; /* at the end */
};

struct table_image {
	struct table_lock_facts *fact; /* owned; by object */
	size_t objects;
	size_t first_thread, threads; /* its rows in tables->thread */
};

struct table_making {
	struct trace_reader *reader; /* borrowed */
	struct order_graph order;
	struct table_image *image; /* owned; by process */
	size_t images;
	/* Of the image that the pass is at. */
	size_t first_site, first_loop;
};

/* Sets tables->making to NULL. */
void table_making_free(struct tables *tables);

/* A longer array where one more does not fit; NULL = out of memory, then the old one is as it was. Zeroes nothing. */
void *table_room(void *array, size_t count, size_t element_bytes);

/* Rows of places are as the model's, from first_site on. NULL = out of memory. */
struct table_site *table_site_row(struct tables *tables, const struct scan *scan, uint32_t site);
/* After a TASK_NEW. False = out of memory. */
bool table_makers_add(struct tables *tables, const struct scan *scan,
		      const struct trace_event *event);

void table_times_add(struct table_times *times, uint64_t at_ns, uint64_t ns);
/* Buckets from now on. False = out of memory. */
bool table_times_detail(struct table_times *times);

#endif
