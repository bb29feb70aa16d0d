/* SPDX-License-Identifier: MIT */
/*
 * export_timeline.h - the timeline handed out thread by thread, for writers that put it into another program's form.
 *
 * Order: all processes, all threads, who made which; then thread by thread its spans in the order in which they
 * began; then how many threads waited for each lock, in order of time. Memory: the packed timeline, and what a writer keeps.
 */
#ifndef THRUM_VIEWER_EXPORT_TIMELINE_H
#define THRUM_VIEWER_EXPORT_TIMELINE_H

#include "export.h"
#include "lanes.h"

struct timeline {
	const struct export_source *source;
	const struct lanes *lanes;
};

/* What a writer is told; false ends it (out of memory, or the file cannot be written). */
struct timeline_sink {
	void *state;
	bool (*process)(void *state, const struct timeline *t, size_t process);
	/* Once, all threads before any span. */
	bool (*thread)(void *state, const struct timeline *t, uint32_t lane);
	/* Who made it and when is in struct lane_thread; after all `thread`. */
	bool (*made)(void *state, const struct timeline *t, uint32_t lane);
	bool (*span)(void *state, const struct timeline *t, const struct lane_row *row,
		     const struct lane_span *span);
	/* From `time_ns` on so many threads wait for it. NULL = not wanted. */
	bool (*waiters)(void *state, const struct timeline *t, uint32_t process, uint32_t object,
			uint64_t time_ns, uint32_t count);
};

/* Makes the timeline and goes through it. */
int timeline_write(const struct export_source *source, const struct timeline_sink *sink, FILE *out,
		   struct diag *diag);

/* Makes the timeline for `work`; where that fails: THRUM_EIO if `out` did, else THRUM_ENOMEM. */
int timeline_run(const struct export_source *source,
		 bool (*work)(void *state, const struct timeline *t, FILE *out), void *state,
		 FILE *out, struct diag *diag);
/* Every span of every thread. */
bool timeline_walk(const struct timeline *t, const struct timeline_sink *sink);

/* "waits for mutex g_a", "holds mutex g_a", "on_timer", "joins thread 3 …": not escaped. */
const char *timeline_label(const struct timeline *t, uint32_t lane, const struct lane_span *span,
			   char *buffer, size_t bytes);
/* "waiters of mutex g_a": of the counter that a sink's `waiters` makes. */
const char *timeline_waiters_name(const struct timeline *t, uint32_t process, uint32_t object,
				  char *buffer, size_t bytes);
/* The same label for the same number, of one process. */
uint64_t timeline_label_key(const struct lane_span *span);
/* "lock", "signal", "hold", "loop", …: groups of states, as words of other programs' filters. */
const char *timeline_category(unsigned state);

/* A span of a lock held, or waited for: it belongs beside others of the same lock. */
bool timeline_is_of_lock(const struct lane_span *span);

/* The thread's id in the kernel; a made up one above all of those, where it was not recorded. */
uint32_t timeline_tid(const struct timeline *t, uint32_t lane);

#endif
