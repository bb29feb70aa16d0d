/* SPDX-License-Identifier: MIT */
/*
 * reading.h - how far a trace is read: told by the threads that read it, asked by the one that serves it.
 *
 * Invariants
 *  - READING_BEGUN goes over to READING_DONE once, and never back.
 *  - The percentage never falls; it is 100 exactly from READING_DONE on.
 *
 * Any thread may call any function at any time.
 */
#ifndef THRUM_VIEWER_READING_H
#define THRUM_VIEWER_READING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum reading_state { READING_BEGUN, READING_DONE };
enum reading_job { READING_FINDINGS, READING_TIMELINE, READING_JOBS };

/* All zeros = begun, nothing read. */
struct reading {
	atomic_uint state;
	atomic_uint shown; /* the largest percentage told so far */
	struct {
		atomic_ullong done, total; /* events */
	} job[READING_JOBS];
};

/* `done` of `total` events; what is less than told before is not heard. */
void reading_tell(struct reading *reading, enum reading_job job, uint64_t done, uint64_t total);
void reading_finish(struct reading *reading);

enum reading_state reading_get_state(const struct reading *reading);
unsigned reading_percent(struct reading *reading);

/*
 * {"state": "reading" or "ready", "percent": 0 … 100, "doing": in words}: into `buffer`, cut where it is too small. Returns the bytes.
 */
size_t reading_put(struct reading *reading, char *buffer, size_t bytes);

#endif
