/* SPDX-License-Identifier: MIT */
/*
 * report_read.h - reports written with --format json, read back: for merge, diff and check of
 * reports.
 *
 * A finding read back is the finding that was written, as far as the JSON has it, with what
 * suppressions and baselines said of it then; trace ids of stacks are 0, gates are decided anew. Fingerprints are taken from the file, so that reports of
 * different versions of thrum stay comparable. A file is hostile input: what does not fit the
 * schema is an error with its place, never a crash.
 */
#ifndef THRUM_ANALYZER_REPORT_REPORT_READ_H
#define THRUM_ANALYZER_REPORT_REPORT_READ_H

#include "sink.h"

/* What a report says of one process, kept where no trace is. */
struct read_process {
	struct trace_process process; /* what the file has of it; tables are empty */
	bool has_exit;
	int exit_status;
	const char **argv; /* NULL = unknown */
	size_t argc;
	uint64_t threads, locks;
};

struct read_report {
	struct read_process *process; /* owned by the list */
	size_t process_count;
	bool has_program_status;
	int program_status;
	bool complete;
	const char *incomplete_why; /* NULL = complete */
	const char **path;	    /* of the traces; owned by the list, as the strings are */
	size_t path_count;
	const char **untraced;
	size_t untraced_count;
	struct report_unrecorded *unrecorded;
	size_t unrecorded_count;
	enum verdict verdict;
};

/* Does the file look like JSON rather than a trace directory or an archive? */
bool report_read_is_json(const char *path);

/*
 * Appends the findings of the file to `list`, which owns all strings; processes are numbered from
 * `first_process` on. THRUM_EIO; THRUM_EFORMAT where it is no report; THRUM_EVERSION.
 */
int report_read(const char *path, struct finding_list *list, size_t first_process,
		struct read_report *ret_report, struct diag *diag);

/* The same from memory; `path` only names it. */
int report_read_text(const char *path, const char *text, size_t bytes, struct finding_list *list,
		     size_t first_process, struct read_report *ret_report, struct diag *diag);

#endif
