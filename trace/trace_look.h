/* SPDX-License-Identifier: MIT */
/*
 * trace_look.h - a glance at a running trace: what every thread of every live process waits for now,
 * and how far it has come.
 *
 * Reads the first bytes of each segment and nothing else, so it may be done every second. It does not
 * judge: two glances with equal entries say that a thread made no recorded step in between.
 *
 * Invariants
 *  - Values come from files that others write: they are hostile, and two of one entry may be of
 *    different moments. A caller who builds on an entry looks twice.
 *  - An image is left out for good once its process is gone or another image of the same pid is
 *    there; a directory with thousands of those costs one readdir.
 *  - Entries are sorted by (pid, image, stream).
 */
#ifndef THRUM_TRACE_LOOK_H
#define THRUM_TRACE_LOOK_H

#include "trace_diag.h"
#include "trace_format.h"

#include <stdbool.h>
#include <stddef.h>

/* One stream that belongs to a thread, waiting or not. */
struct trace_look_entry {
	uint32_t pid, image, ppid;
	uint32_t stream, thread, tid;
	uint32_t committed;
	uint64_t chunk;
	uint64_t
		events; /* of the stream so far; moves in bounded mode too, where committed does not */
	struct trace_wait wait; /* kind NONE = not in a recorded call that blocks */
};

struct trace_look_image {
	uint32_t pid, image;
};

/* Zeroed before the first use. */
struct trace_look {
	struct trace_look_entry *entries; /* owned */
	size_t count, capacity;
	/* private: images that are over */
	struct trace_look_image *over;
	size_t over_count, over_capacity;
};

/* Fills `look` anew. 0, THRUM_EIO where the directory cannot be read, THRUM_ENOMEM. */
int trace_look_take(struct trace_look *look, const char *dir, struct diag *diag);
void trace_look_release(struct trace_look *look);

/*
 * Did any process get as far as room for events? False where all ran out of disk at their start, and
 * where there is none.
 */
bool trace_look_has_room(const char *dir);

/* The entry of a kernel thread, NULL = none. */
const struct trace_look_entry *trace_look_find(const struct trace_look *look, uint32_t pid,
					       uint32_t tid);

/* Same thread, same place in its stream, same wait: it made no step from one to the other. */
bool trace_look_is_same(const struct trace_look_entry *a, const struct trace_look_entry *b);

#endif
