/* SPDX-License-Identifier: MIT */
/*
 * lock_labels.h - what findings call locks that have no name ("mutex #1"), so that the timeline and the tables beside them say the same.
 *
 * A finding numbers its own locks. A label is kept where all findings that show a lock call it so, and no other lock.
 */
#ifndef THRUM_VIEWER_LOCK_LABELS_H
#define THRUM_VIEWER_LOCK_LABELS_H

#include "../analyzer/report/report.h"

struct lock_label {
	size_t process;
	uint32_t object;
	const char *text; /* owned */
};

struct lock_labels {
	struct lock_label *label; /* owned; by process and object */
	size_t count;
};

/* `process_of`: by number of a process in the findings, its index in the reader; NULL = the same. 0 or THRUM_ENOMEM. */
int lock_labels_make(struct lock_labels *labels, const struct report *report,
		     const uint32_t *process_of, size_t process_count);
void lock_labels_release(struct lock_labels *labels);

/* NULL = none, or `labels` is NULL. */
const char *lock_labels_find(const struct lock_labels *labels, size_t process, uint32_t object);

#endif
