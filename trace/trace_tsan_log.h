/* SPDX-License-Identifier: MIT */
/*
 * trace_tsan_log.h - the reports in a log of ThreadSanitizer's runtime, as parts of struct tf_report_part.
 *
 * Invariants
 *  - The text is hostile: any bytes, cut anywhere. What is not understood is left out; nothing is read beyond `bytes`.
 *  - Reports come in the order of the text; one whose end is missing is kept as far as it goes.
 *  - A frame has the address that the log says ("#0 0x55d7… function"), which is a return address; where the log has none, the
 *    module's name and the offset of the call in it ("(prog+0x1234)"); module NULL = neither.
 *
 * Understands what gcc 10 to 14 and clang 11 to 19 write, with any stack_trace_format that keeps "#N" at the beginning of a
 * frame's line.
 */
#ifndef THRUM_TRACE_TSAN_LOG_H
#define THRUM_TRACE_TSAN_LOG_H

#include "trace_format.h"

#include <stddef.h>

struct trace_log_frame {
	uint64_t ip;	    /* 0 = see module */
	const char *module; /* borrowed from the text, not ended by a NUL; NULL = none */
	size_t module_bytes;
	uint64_t offset;
};

struct trace_log_part {
	struct tf_report_part part; /* its `stack` is not used */
	size_t first_frame, frames;
};

struct trace_log_report {
	uint32_t kind; /* enum tf_report_kind */
	size_t first_part, parts;
	const char *
		title; /* "data race on vptr (ctor/dtor vs virtual call)"; borrowed from the text */
	size_t title_bytes;
};

struct trace_log {
	/* owned */
	struct trace_log_report *reports;
	struct trace_log_part *parts;
	struct trace_log_frame *frames;
	size_t report_count, part_count, frame_count;
	size_t report_capacity, part_capacity, frame_capacity;
};

/* `text` is borrowed until release. 0 or THRUM_ENOMEM; release in both cases. */
int trace_log_parse(const char *text, size_t bytes, struct trace_log *ret_log);
void trace_log_release(struct trace_log *log);

#endif
