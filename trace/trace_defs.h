/* SPDX-License-Identifier: MIT */
/*
 * trace_defs.h - from the copies of trace_dir.h to the tables of struct trace_process.
 *
 * Invariants
 *  - Tables have an entry for every id that the header gives out or a definition names, as far as
 *    the size of the definitions in the file justifies it (an id per 4 bytes, and 4096 more): a
 *    hostile count cannot ask for memory. An id beyond is refused here and comes out of the reader
 *    as 0.
 *  - Where the map is cut, ids that only the events name get (empty) entries too, as far as the
 *    size of .events justifies it (an id per 8 bytes, at most 2^20).
 *  - Pointers into tables stay valid until trace_defs_release; nothing grows later.
 */
#ifndef THRUM_TRACE_DEFS_H
#define THRUM_TRACE_DEFS_H

#include "trace_clock.h"
#include "trace_decode.h"
#include "trace_dir.h"
#include "trace_reader.h"

struct trace_text; /* strings, in blocks */

/* What is derived from one image. `process` is what the API shows. */
struct trace_defs {
	struct trace_process process; /* first: see trace_process_add_stack */
	struct trace_clock clock;
	struct trace_layout layout;
	struct trace_text *text;
	/*
	 * Some record was known to be missing when the trace was opened: a merge must not wait long
	 * for what may not come. What a merge finds out later does not change this, so that each
	 * pass gives the same order.
	 */
	bool lossy;
	uint64_t end_ticks; /* of the newest record; 0 = there is none */
	/*
	 * Bounded mode, else NULL. Records of an object from before it was born mean a former one of
	 * its id. Facts of a thread from `ring` on are in its ring.
	 */
	uint64_t *born;	       /* by object; owned */
	uint64_t *thread_born; /* the same, by thread; owned */
	uint64_t *task_born;   /* the same, by task; owned */
	uint64_t *ring;	       /* by thread, UINT64_MAX = none; owned */
	uint64_t **made;       /* owned: frames of stacks that an analysis added */
	size_t made_count;
	/* Of reports: parts and return addresses that a log told; owned. */
	struct tf_report_part *report_parts;
	uint64_t *report_ips;
};

/*
 * `image` is borrowed until release: stacks and modules point into its segments. 0 or THRUM_ENOMEM.
 */
int trace_defs_init(struct trace_defs *defs, struct trace_image *image);
void trace_defs_release(struct trace_defs *defs);

/* ---- trace_sum.c, for trace_defs.c ---- */

struct trace_sums {
	uint64_t records;
	uint64_t end_ticks;		   /* of the newest record; 0 = there is none */
	uint32_t stacks, objects, threads; /* highest ids in records, below the limit */
};

/* Raises `highest` to `id` where that is below `limit`. */
void trace_raise(uint32_t *highest, uint32_t id, uint64_t limit);

/*
 * Decodes all chunks, or with `last_only` the last of each stream that has records. 0 or
 * THRUM_ENOMEM.
 */
int trace_sum_records(struct trace_defs *defs, struct trace_image *image, bool last_only,
		      uint64_t limit, struct trace_sums *sums);

/* Adds up the chunk index: events, lost events, missing chunks. */
void trace_sum_streams(struct trace_defs *defs, struct trace_image *image);

/* Fills complete and why. */
void trace_sum_judge(struct trace_defs *defs, const struct trace_image *image);
bool trace_sum_is_lossy(const struct trace_process *process, const struct trace_image *image);

#endif
