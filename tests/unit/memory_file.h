/* SPDX-License-Identifier: MIT */
/*
 * memory_file.h - files PID.N.memory made by hand, for tests: chunks of one unit, records put one behind the other.
 */
#ifndef THRUM_TESTS_UNIT_MEMORY_FILE_H
#define THRUM_TESTS_UNIT_MEMORY_FILE_H

#include "trace/trace_memory_format.h"

#include <stddef.h>

struct memory_file {
	unsigned char *bytes; /* owned */
	size_t count;
	struct tm_record *next; /* in the newest chunk */
};

void memory_file_init(struct memory_file *f);
void memory_file_release(struct memory_file *f);
void memory_file_chunk(struct memory_file *f, unsigned lane, unsigned number);
void memory_file_put(struct memory_file *f, uint64_t a, uint64_t b);
/* A chunk for a lane that begins with that thread on that stream, after `position` records. */
void memory_file_thread(struct memory_file *f, unsigned lane, unsigned thread, unsigned stream,
			unsigned position);
void memory_file_position(struct memory_file *f, unsigned position);
void memory_file_access(struct memory_file *f, unsigned kind, uint64_t address, unsigned bytes,
			uint64_t pc);
/* SYNC and its numbers. */
void memory_file_sync(struct memory_file *f, unsigned extra, uint64_t address, unsigned before,
		      unsigned after);

#endif
