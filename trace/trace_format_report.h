/* SPDX-License-Identifier: MIT */
/*
 * trace_format_report.h - the definitions that hold what a sanitizer's run time told. A part of trace_format.h, which includes it.
 */
#ifndef THRUM_TRACE_FORMAT_REPORT_H
#define THRUM_TRACE_FORMAT_REPORT_H

/*
 * A report of ThreadSanitizer's runtime, as its interface gives it; `parts` of struct tf_report_part follow. The same reports
 * stand in a log, tsan.PID beside the image's files, where that was kept: FORMAT.md section 5 tells how the two go together.
 */
struct tf_def_report {
	struct tf_def def;
	uint32_t report; /* 1, 2 …: in the order in which the runtime of this process made them */
	uint32_t kind;	 /* enum tf_report_kind */
	uint32_t thread; /* that it was made on */
	uint32_t parts;
	uint64_t ticks;
};

/*
 * What ThreadSanitizer is asked for beside the path of its log, in the trace's directory: frames with their addresses, and a status
 * that is the program's. Where it ends the program itself, for a crash or an error of its own, that is an abort, not the status 0.
 */
#define TF_TSAN_LOG "tsan"
#define TF_TSAN_OPTIONS "exitcode=0:abort_on_error=1:stack_trace_format='    #%n %p %f %S %M'"

/* Numbers from spec/reports.def. */
enum tf_report_kind {
	TF_REPORT_OTHER = 0,
#define REPORT(num, NAME, word, log_text) TF_REPORT_##NAME = num,
#include "../spec/reports.def"
#undef REPORT
};

enum tf_report_part_kind {
	TF_PART_ACCESS = 1,   /* number = who; bytes = how many; flags: enum tf_part_flag */
	TF_PART_HELD = 2,     /* number = a mutex that the newest ACCESS holds */
	TF_PART_LOCATION = 3, /* number = whose stack or TLS it is, or who allocated it */
	TF_PART_MUTEX = 4,    /* number, address; stack = where it was first seen */
	TF_PART_THREAD =
		5, /* number, tid; other = number of its parent; stack = where it was made */
	TF_PART_STACK = 6, /* of a report without accesses: where */
};

enum tf_part_flag {
	TF_PART_WRITE = 1, /* ACCESS, HELD */
	TF_PART_ATOMIC = 2,
	TF_PART_GLOBAL = 4, /* LOCATION: one of these, or none where the runtime does not know */
	TF_PART_HEAP = 8,
	TF_PART_ON_STACK = 16,
	TF_PART_TLS = 32,
	TF_PART_DESCRIPTOR = 64, /* address = its number */
	TF_PART_DESTROYED = 128, /* MUTEX */
	TF_PART_HOOKED = 256,	 /* STACK: in a call of pthreads, which the recorder sees too */
};

/* Threads and mutexes have the runtime's own numbers; thread 0 is the main thread. */
struct tf_report_part {
	uint32_t kind; /* enum tf_report_part_kind */
	uint32_t flags;
	uint32_t number, other;
	uint32_t stack; /* id, 0 = the runtime has lost it */
	uint32_t tid;	/* kernel id of a THREAD, 0 = not known */
	uint64_t address, bytes;
};

struct tf_def_tid {
	struct tf_def def;
	uint32_t thread;
	uint32_t tid;
};

_Static_assert(sizeof(struct tf_def_report) == 32 && sizeof(struct tf_report_part) == 40,
	       "on disk");

#endif
