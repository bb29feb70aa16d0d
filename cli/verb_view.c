/* SPDX-License-Identifier: MIT */
/*
 * verb_view.c - `thrum view`: a trace to look at, as a page.
 */
#include "analysis.h"
#include "cli.h"

int verb_view(const struct options *options)
{
	struct options seen = *options;
	struct report_target target = { .sink = sink_find("html"), .file = options->html };
	struct gate gate;
	struct analysis_input input = { .gate = &gate };
	int status;

	if (!options->html) {
		say("view: --html=FILE says where the page goes");
		return STATUS_USAGE;
	}
	seen.reports = (struct report_targets){ .target = &target, .count = 1 };
	seen.format = NULL; /* the page is all */
	seen.fail_on = FAIL_ON_NEVER;
	status = analysis_open_files(&seen, &gate);
	input.traces = inputs_of_options(&seen, &input.trace_count);
	if (!status)
		status = analysis_run(&seen, &input);
	gate_release(&gate);
	return status;
}
