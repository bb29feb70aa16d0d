/* SPDX-License-Identifier: MIT */
/*
 * symbolize.h - the stage between checkers and sinks: gives every finding its frames and names.
 *
 * Fills finding_stack.frames, finding_thread.created_at and start_function, finding_lock.first_seen
 * and name (where no checker named it). Only what findings mention is looked up; module files are
 * shared by all processes of the trace.
 */
#ifndef THRUM_ANALYZER_SYMBOLIZE_H
#define THRUM_ANALYZER_SYMBOLIZE_H

#include "../trace/trace_reader.h"
#include "finding.h"

struct symbolize_options {
	/*
	 * Directories with modules and debug files of another machine; NULL-terminated, may be
	 * NULL.
	 */
	const char *const *directories;
	/*
	 * Called at the end, once for each module of the findings that is not here as it was
	 * recorded: a line for the user, see symbols_file.h. May be NULL.
	 */
	void (*say)(void *cookie, const char *text);
	void *cookie;
};

/*
 * `options` may be NULL. Everything that is filled in is owned by `list`. Never fails: what is
 * unknown stays unknown. May be called again after findings were added: stacks that have frames are
 * left as they are.
 */
void symbolize_findings(struct finding_list *list, const struct trace_reader *reader,
			const struct symbolize_options *options);

#endif
